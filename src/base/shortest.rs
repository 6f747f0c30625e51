//! Pure: the digits of a double as Redis finds them, which are those of Grisu2 (Florian Loitsch,
//! "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010).
//!
//! They always read back the same number. Of two thousand numbers about one gets a digit more
//! than it needs, or not the nearest of the shortest: clients see those digits, and files hold
//! them, so no better algorithm will do.
//!
//! A number is scaled by a power of ten that was rounded to 64 bits, so that its exponent is in a
//! small range; then its digits fall off, until what is left is within the neighbours' reach.

/// More digits than a double has.
pub(crate) const DIGITS_MAX: usize = 18;

const FRACTION_BITS: u32 = 52;
const HIDDEN: u64 = 1 << FRACTION_BITS;
const EXPONENT_BIAS: i32 = 1023 + FRACTION_BITS as i32;
/// The first power of ten in the table, and how far it is to the next.
const FIRST_POWER: i32 = -348;
const POWER_STEP: i32 = 8;
/// After scaling, the exponent is in this range.
const SCALED_EXPONENTS: std::ops::RangeInclusive<i32> = -60..=-32;
/// Digits of the whole part of what was scaled, at most.
const WHOLE_DIGITS_MAX: i32 = 10;

/// `fraction * 2^exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    fraction: u64,
    exponent: i32,
}

impl Scaled {
    /// Splits a positive, finite number.
    fn of(value: f64) -> Self {
        let bits = value.to_bits();
        let fraction = bits & (HIDDEN - 1);
        match (bits >> FRACTION_BITS) as i32 {
            0 => Self { fraction, exponent: 1 - EXPONENT_BIAS },
            exponent => Self { fraction: fraction | HIDDEN, exponent: exponent - EXPONENT_BIAS },
        }
    }

    /// Moves the first bit to the top.
    fn normalized(self) -> Self {
        let shift = self.fraction.leading_zeros();
        Self { fraction: self.fraction << shift, exponent: self.exponent - shift as i32 }
    }

    /// Returns the middles between the number and its neighbours, at one exponent.
    fn boundaries(self) -> (Self, Self) {
        let above =
            Self { fraction: 2 * self.fraction + 1, exponent: self.exponent - 1 }.normalized();
        // Below a power of two numbers are twice as dense.
        let shift = if self.fraction == HIDDEN { 2 } else { 1 };
        let fraction = (self.fraction << shift) - 1;
        let down = self.exponent - shift - above.exponent;
        (Self { fraction: fraction << down, exponent: above.exponent }, above)
    }

    /// Multiplies, and rounds to 64 bits.
    fn times(self, other: Self) -> Self {
        let product = u128::from(self.fraction) * u128::from(other.fraction);
        let fraction = ((product + (1 << 63)) >> 64) as u64;
        Self { fraction, exponent: self.exponent + other.exponent + 64 }
    }
}

/// Finds the digits of a positive, finite number. Returns how many they are, and the power of
/// ten that the last one counts.
pub(crate) fn digits(value: f64, out: &mut [u8; DIGITS_MAX]) -> (usize, i32) {
    let number = Scaled::of(value);
    let (below, above) = number.boundaries();
    let (power, ten) = power_for(above.exponent);
    let number = number.normalized().times(ten);
    let (mut below, mut above) = (below.times(ten), above.times(ten));
    // Each product may be wrong in its last bit.
    below.fraction += 1;
    above.fraction -= 1;
    let (count, dropped) = generate(number, below, above, out);
    (count, dropped - power)
}

/// Picks the power of ten that brings an exponent into the range.
fn power_for(exponent: i32) -> (i32, Scaled) {
    let fits =
        |(_, power): &(usize, &(u64, i32))| SCALED_EXPONENTS.contains(&(exponent + power.1 + 64));
    // Which one is first tried decides between two that fit.
    let guess = (f64::from(-(exponent + POWERS.len() as i32)) * std::f64::consts::LOG10_2) as i32;
    let mut at = ((guess - FIRST_POWER) / POWER_STEP) as usize;
    while !fits(&(at, &POWERS[at])) {
        let is_low = exponent + POWERS[at].1 + 64 < *SCALED_EXPONENTS.start();
        at = if is_low { at + 1 } else { at - 1 };
    }
    let (fraction, exponent) = POWERS[at];
    (FIRST_POWER + at as i32 * POWER_STEP, Scaled { fraction, exponent })
}

/// Takes digits off the upper boundary until what is left is within the lower one's reach, and
/// brings the last one as near to the number as it can be.
fn generate(
    number: Scaled,
    below: Scaled,
    above: Scaled,
    out: &mut [u8; DIGITS_MAX],
) -> (usize, i32) {
    let shift = above.exponent.unsigned_abs();
    let one = 1_u64 << shift;
    let mut distance = above.fraction - number.fraction;
    let mut reach = above.fraction - below.fraction;
    let (mut whole, mut part) = (above.fraction >> shift, above.fraction & (one - 1));
    let mut count = 0;
    let mut push = |out: &mut [u8; DIGITS_MAX], digit: u64| {
        if digit != 0 || count != 0 {
            out[count] = b'0' + digit as u8;
            count += 1;
        }
        count
    };
    for left in (0..WHOLE_DIGITS_MAX).rev() {
        let unit = 10_u64.pow(left.unsigned_abs());
        let count = push(out, whole / unit);
        whole %= unit;
        let rest = (whole << shift) + part;
        if rest <= reach {
            round(&mut out[..count], reach, rest, unit << shift, distance);
            return (count, left);
        }
    }
    let mut left = 0;
    loop {
        part = part.wrapping_mul(10);
        reach = reach.wrapping_mul(10);
        distance = distance.wrapping_mul(10);
        left -= 1;
        let count = push(out, part >> shift);
        part &= one - 1;
        if part < reach {
            round(&mut out[..count], reach, part, one, distance);
            return (count, left);
        }
    }
}

/// Lowers the last digit while that brings what is written nearer to the number.
fn round(digits: &mut [u8], reach: u64, mut rest: u64, unit: u64, distance: u64) {
    let Some(last) = digits.last_mut() else { return };
    while rest < distance
        && reach - rest >= unit
        && (rest + unit < distance || distance - rest > rest + unit - distance)
    {
        *last -= 1;
        rest += unit;
    }
}

/// Every eighth power of ten from the first on, rounded to 64 bits.
#[rustfmt::skip]
const POWERS: [(u64, i32); 87] = [
    (0xfa8f_d5a0_081c_0288, -1220), (0xbaae_e17f_a23e_bf76, -1193), (0x8b16_fb20_3055_ac76, -1166),
    (0xcf42_894a_5dce_35ea, -1140), (0x9a6b_b0aa_5565_3b2d, -1113), (0xe61a_cf03_3d1a_45df, -1087),
    (0xab70_fe17_c79a_c6ca, -1060), (0xff77_b1fc_bebc_dc4f, -1034), (0xbe56_91ef_416b_d60c, -1007),
    (0x8dd0_1fad_907f_fc3c, -980), (0xd351_5c28_3155_9a83, -954), (0x9d71_ac8f_ada6_c9b5, -927),
    (0xea9c_2277_23ee_8bcb, -901), (0xaecc_4991_4078_536d, -874), (0x823c_1279_5db6_ce57, -847),
    (0xc210_9436_4dfb_5637, -821), (0x9096_ea6f_3848_984f, -794), (0xd774_85cb_2582_3ac7, -768),
    (0xa086_cfcd_97bf_97f4, -741), (0xef34_0a98_172a_ace5, -715), (0xb238_67fb_2a35_b28e, -688),
    (0x84c8_d4df_d2c6_3f3b, -661), (0xc5dd_4427_1ad3_cdba, -635), (0x936b_9fce_bb25_c996, -608),
    (0xdbac_6c24_7d62_a584, -582), (0xa3ab_6658_0d5f_daf6, -555), (0xf3e2_f893_dec3_f126, -529),
    (0xb5b5_ada8_aaff_80b8, -502), (0x8762_5f05_6c7c_4a8b, -475), (0xc9bc_ff60_34c1_3053, -449),
    (0x964e_858c_91ba_2655, -422), (0xdff9_7724_7029_7ebd, -396), (0xa6df_bd9f_b8e5_b88f, -369),
    (0xf8a9_5fcf_8874_7d94, -343), (0xb944_7093_8fa8_9bcf, -316), (0x8a08_f0f8_bf0f_156b, -289),
    (0xcdb0_2555_6531_31b6, -263), (0x993f_e2c6_d07b_7fac, -236), (0xe45c_10c4_2a2b_3b06, -210),
    (0xaa24_2499_6973_92d3, -183), (0xfd87_b5f2_8300_ca0e, -157), (0xbce5_0864_9211_1aeb, -130),
    (0x8cbc_cc09_6f50_88cc, -103), (0xd1b7_1758_e219_652c, -77), (0x9c40_0000_0000_0000, -50),
    (0xe8d4_a510_0000_0000, -24), (0xad78_ebc5_ac62_0000, 3), (0x813f_3978_f894_0984, 30),
    (0xc097_ce7b_c907_15b3, 56), (0x8f7e_32ce_7bea_5c70, 83), (0xd5d2_38a4_abe9_8068, 109),
    (0x9f4f_2726_179a_2245, 136), (0xed63_a231_d4c4_fb27, 162), (0xb0de_6538_8cc8_ada8, 189),
    (0x83c7_088e_1aab_65db, 216), (0xc45d_1df9_4271_1d9a, 242), (0x924d_692c_a61b_e758, 269),
    (0xda01_ee64_1a70_8dea, 295), (0xa26d_a399_9aef_774a, 322), (0xf209_787b_b47d_6b85, 348),
    (0xb454_e4a1_79dd_1877, 375), (0x865b_8692_5b9b_c5c2, 402), (0xc835_53c5_c896_5d3d, 428),
    (0x952a_b45c_fa97_a0b3, 455), (0xde46_9fbd_99a0_5fe3, 481), (0xa59b_c234_db39_8c25, 508),
    (0xf6c6_9a72_a398_9f5c, 534), (0xb7dc_bf53_54e9_bece, 561), (0x88fc_f317_f222_41e2, 588),
    (0xcc20_ce9b_d35c_78a5, 614), (0x9816_5af3_7b21_53df, 641), (0xe2a0_b5dc_971f_303a, 667),
    (0xa8d9_d153_5ce3_b396, 694), (0xfb9b_7cd9_a4a7_443c, 720), (0xbb76_4c4c_a7a4_4410, 747),
    (0x8bab_8eef_b640_9c1a, 774), (0xd01f_ef10_a657_842c, 800), (0x9b10_a4e5_e991_3129, 827),
    (0xe710_9bfb_a19c_0c9d, 853), (0xac28_20d9_623b_f429, 880), (0x8044_4b5e_7aa7_cf85, 907),
    (0xbf21_e440_03ac_dd2d, 933), (0x8e67_9c2f_5e44_ff8f, 960), (0xd433_179d_9c8c_b841, 986),
    (0x9e19_db92_b4e3_1ba9, 1013), (0xeb96_bf6e_badf_77d9, 1039), (0xaf87_023b_9bf0_ee6b, 1066),
];

#[cfg(test)]
mod tests {
    use super::{DIGITS_MAX, digits};
    use crate::random::Random;

    fn text(value: f64) -> String {
        let mut out = [0; DIGITS_MAX];
        let (count, power) = digits(value, &mut out);
        format!("{}e{power}", std::str::from_utf8(&out[..count]).unwrap())
    }

    #[test]
    fn digits_are_those_that_redis_finds() {
        let cases = [
            (1.0, "1e0"),
            (0.1, "1e-1"),
            (5e-324, "5e-324"),
            (f64::MAX, "17976931348623157e292"),
            (f64::MIN_POSITIVE, "22250738585072014e-324"),
            (123_456.789, "123456789e-3"),
            (9_007_199_254_740_992.0, "9007199254740992e0"),
            // One more than needed, and not the nearest.
            (0.000_432_391_174_513_062_3, "43239117451306233e-20"),
            (85_655_273_325_323.38, "8565527332532337e-2"),
            (589_814_651_502_361.2, "5898146515023612e-1"),
            (9.454_282_603_214_435e234, "9454282603214436e219"),
            (3_820_367_199_722.468_8, "38203671997224687e-4"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn digits_read_back() {
        let mut random = Random::for_test("digits_read_back");
        for _ in 0..200_000 {
            let value = f64::from_bits(random.any_u64()).abs();
            if value.is_finite() && value != 0.0 {
                assert_eq!(text(value).parse(), Ok(value), "{value:e}");
            }
        }
    }
}
