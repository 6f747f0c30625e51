//! Pure: the forms of output, as Redis's own tool prints them.

use resp::value::{Decoder, Value};

use super::{Form, Layout};

fn decode(wire: &str) -> Value {
    let mut decoder = Decoder::default();
    decoder.feed(wire.replace(' ', "\r\n").replace('^', " ").as_bytes());
    decoder.advance().unwrap().unwrap()
}

/// In `wire`, a space is a line's end and a caret a space.
fn check(form: Form, wire: &str, expected: &str) {
    let layout = Layout { form, between: b"\n".to_vec(), after: b"\n".to_vec() };
    let rendered = String::from_utf8(layout.render(&decode(wire))).unwrap();
    assert_eq!(rendered, expected, "{form:?} of {wire}");
}

#[test]
fn people_are_told_types() {
    let table = [
        ("+OK ", "OK\n"),
        ("-ERR^no ", "(error) ERR no\n"),
        (":7 ", "(integer) 7\n"),
        (",1.5 ", "(double) 1.5\n"),
        ("#t ", "(true)\n"),
        ("#f ", "(false)\n"),
        ("$-1 ", "(nil)\n"),
        ("$4 a\"\\\u{7} ", "\"a\\\"\\\\\\a\"\n"),
        ("$2 é ", "\"\\xc3\\xa9\"\n"),
        ("=6 txt:é ", "é\n"),
        ("(12 ", "(big number) 12\n"),
        ("*0 ", "(empty array)\n"),
        ("%0 ", "(empty hash)\n"),
        ("~0 ", "(empty set)\n"),
        (">0 ", "(empty push)\n"),
        ("|1 +a :1 :2 ", "(integer) 2\n"),
    ];
    for (wire, expected) in table {
        check(Form::Tty, wire, expected);
    }
}

#[test]
fn nesting_is_indented_by_the_width_of_its_numbers() {
    check(
        Form::Tty,
        "*2 :1 *2 :2 *1 :3 ",
        "1) (integer) 1\n2) 1) (integer) 2\n   2) 1) (integer) 3\n",
    );
    let ten = format!("*10 {}*2 :1 :2 ", ":5 ".repeat(9));
    let mut expected: String = (1..10).map(|n| format!("{n:>2}) (integer) 5\n")).collect();
    expected += "10) 1) (integer) 1\n    2) (integer) 2\n";
    check(Form::Tty, &ten, &expected);
    check(Form::Tty, "~2 +a +b ", "1~ a\n2~ b\n");
    check(Form::Tty, ">2 +a +b ", "1) a\n2) b\n");
}

#[test]
fn a_long_value_of_a_map_begins_a_line() {
    check(Form::Tty, "%2 +a :1 +b *1 :2 ", "1# a => (integer) 1\n2# b => 1) (integer) 2\n");
    let expected = "1# a => \n   1) (integer) 1\n   2) (integer) 2\n";
    check(Form::Tty, "%1 +a *2 :1 :2 ", expected);
}

#[test]
fn pipes_get_bytes() {
    check(Form::Raw, "$-1 ", "\n");
    check(Form::Raw, "-ERR ", "ERR\n\n");
    check(Form::Raw, "*3 :1 *2 $1 a #t ,2.5 ", "1\na\n(true)\n2.5\n");
    check(Form::Raw, "%2 +a :1 +b :2 ", "a 1\nb 2\n");
    let layout = Layout { form: Form::Raw, between: b", ".to_vec(), after: b"".to_vec() };
    assert_eq!(layout.render(&decode("*2 +a +b ")), b"a, b");
    assert_eq!(layout.render_verbatim(&decode("$5 a: 1 ")), b"a:\r\n1");
}

#[test]
fn values_are_separated_by_commas() {
    check(Form::Csv, "*5 :1 $1 a $-1 #t *1 +b ", "1,\"a\",NULL,true,\"b\"\n");
    check(Form::Csv, "%1 +a ,2 ", "\"a\",2\n");
    check(Form::Csv, "-ERR^x ", "ERROR,\"ERR x\"\n");
}

#[test]
fn json_has_strings_for_keys() {
    check(Form::Json, "%3 $1 a :1 :2 *1 _ #t ~0 ", "{\"a\":1,\"2\":[null],\"true\":[]}\n");
    check(Form::Json, "$5 \u{1}\"\u{c}é ", "\"\\u0001\\\"\\fé\"\n");
    check(Form::QuotedJson, "$3 \u{1}é ", "\"\\\\x01\\\\xc3\\\\xa9\"\n");
    check(Form::Json, "-ERR ", "error:\"ERR\"\n");
}

#[test]
fn invalidation_names_the_keys() {
    let layout = Layout { form: Form::Tty, between: vec![], after: vec![] };
    let push = decode(">2 $10 invalidate *2 $1 a $1 b ");
    assert_eq!(layout.render_push(&push), b"-> invalidate: 'a', 'b'\n");
    let flush = decode(">2 $10 invalidate $-1 ");
    assert_eq!(layout.render_push(&flush), b"1) \"invalidate\"\n2) (nil)\n");
}
