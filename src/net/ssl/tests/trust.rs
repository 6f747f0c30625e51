//! Tool: who is let in by a server that asks for certificates, and what is loaded at all.

use std::io::{Read, Write};

use openssl::{
    asn1::Asn1Type,
    pkey::PKey,
    ssl::{SslConnectorBuilder, SslVersion},
    x509::X509,
};

use super::{
    super::{AuthClients, Failure, Settings, Ssl},
    World, connect, connector, now_s,
    papers::{CommonName, Issued, Papers, Wanted, ec, issue, plain, rsa, server},
    settings,
};

fn mutual(papers: &Papers, auth_clients: AuthClients) -> Settings {
    Settings { auth_clients, ca_file: papers.path("ca.crt").into(), ..settings(papers) }
}

fn showing(issued: &Issued) -> SslConnectorBuilder {
    let mut builder = connector();
    builder.set_certificate(&issued.certificate).unwrap();
    builder.set_private_key(&issued.key).unwrap();
    builder
}

/// Connects and asks once; what the server thought of it.
fn attempt(
    world: &mut World,
    builder: SslConnectorBuilder,
) -> Result<Option<String>, (Failure, String)> {
    let stream = world.accept();
    let talked = world.serve_while(|| {
        let mut tls = connect(builder, stream)?;
        // Over TLS 1.3 a refusal shows here only.
        tls.write_all(b"x").and_then(|()| tls.read_exact(&mut [0])).map_err(|e| e.to_string())
    });
    let count = world.clients.len();
    world.turns_until(|world| world.outcomes.len() == count);
    let outcome = world.outcomes.last().unwrap().clone();
    assert_eq!(outcome.is_ok(), talked.is_ok(), "{outcome:?} {talked:?}");
    outcome.map(|info| info.peer_name)
}

#[test]
fn certificates_of_clients_are_judged_as_configured() {
    let papers = Papers::new();
    let client = Wanted { common: &[plain(b"ann")], ..Wanted::default() };
    let good = papers.issue("good", &client);
    let expired = papers.issue("expired", &Wanted { days: (-30, -1), ..client });
    let client = Wanted { common: &[plain(b"ann")], ..Wanted::default() };
    let early = papers.issue("early", &Wanted { days: (2, 30), ..client });
    let client = Wanted { common: &[plain(b"ann")], ..Wanted::default() };
    let foreign = issue(&client, ec(), None);
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let with = |mut builder: SslConnectorBuilder| {
            builder.set_max_proto_version(Some(version)).unwrap();
            builder
        };
        for auth in [AuthClients::Yes, AuthClients::Optional] {
            let mut world = World::new(mutual(&papers, auth));
            let name = attempt(&mut world, with(showing(&good))).unwrap();
            assert_eq!(name.as_deref(), Some("ann"));
            let bare = attempt(&mut world, with(connector()));
            assert_eq!(bare.is_ok(), auth == AuthClients::Optional);
            for (bad, reason) in
                [(&expired, "has expired"), (&early, "not yet valid"), (&foreign, "not trusted")]
            {
                let refusal = attempt(&mut world, with(showing(bad))).unwrap_err();
                assert_eq!(refusal.0, Failure::Certificate, "{refusal:?}");
                assert!(refusal.1.contains(reason), "{refusal:?}");
            }
            let failed = if auth == AuthClients::Yes { "4" } else { "3" };
            assert_eq!(world.field("ssl_handshakes_failed_certificate"), failed);
        }
        let mut world = World::new(mutual(&papers, AuthClients::No));
        assert_eq!(attempt(&mut world, with(showing(&foreign))).unwrap(), None, "not asked");
    }
}

#[test]
fn names_that_can_be_read_in_two_ways_are_refused() {
    let papers = Papers::new();
    let mut world = World::new(mutual(&papers, AuthClients::Yes));
    let two = [plain(b"ann"), plain(b"bob")];
    let cases: [(&str, &[CommonName<'_>], &str); 4] = [
        ("nul", &[(b"ann\0.evil", Asn1Type::UTF8STRING)], "NUL"),
        ("several", &two, "several common names"),
        ("wide", &[(b"\0a\0n", Asn1Type::BMPSTRING)], "NUL"),
        ("chinese", &[(b"annn", Asn1Type::BMPSTRING)], "no plain text"),
    ];
    for (file, common, reason) in cases {
        let bad = papers.issue(file, &Wanted { common, ..Wanted::default() });
        let refusal = attempt(&mut world, showing(&bad)).unwrap_err();
        assert_eq!(refusal.0, Failure::Certificate, "{file}: {refusal:?}");
        assert!(refusal.1.contains(reason), "{file}: {refusal:?}");
    }
    // No name at all is clear enough; the chain is what lets a client in.
    let nobody = papers.issue("nobody", &Wanted::default());
    assert_eq!(attempt(&mut world, showing(&nobody)), Ok(None));
}

#[test]
fn our_own_certificate_is_trusted_itself_and_issues_nothing() {
    let papers = Papers::new();
    // As a CA could: self-signed and allowed to sign.
    let own =
        issue(&Wanted { common: &[plain(b"node")], is_ca: true, ..Wanted::default() }, ec(), None);
    papers.save("own", own.clone());
    let settings = Settings {
        certificate_file: papers.path("own.crt").into(),
        private_key_file: papers.path("own.key").into(),
        ..mutual(&papers, AuthClients::Yes)
    };
    let mut world = World::new(settings.clone());
    assert_eq!(attempt(&mut world, showing(&own)).unwrap().as_deref(), Some("node"));
    let child =
        issue(&Wanted { common: &[plain(b"child")], ..Wanted::default() }, ec(), Some(&own));
    let refusal = attempt(&mut world, showing(&child)).unwrap_err();
    assert!(refusal.1.contains("issued by ours"), "{refusal:?}");
    // Unless it stands among the roots.
    let mut world =
        World::new(Settings { root_ca_certs_path: papers.path("own.crt").into(), ..settings });
    assert!(attempt(&mut world, showing(&child)).is_ok());
}

#[test]
fn the_certificates_of_the_guide_serve() {
    let papers = Papers::new();
    let star = Wanted { common: &[plain(b"*")], is_old: true, ..Wanted::default() };
    let root = issue(&star, rsa(), None);
    papers.write("old-ca.crt", &root.certificate.to_pem().unwrap());
    let own = papers.save("old", issue(&star, rsa(), Some(&root)));
    assert_eq!(own.certificate.version(), 0);
    let mut world = World::new(Settings {
        certificate_file: papers.path("old.crt").into(),
        private_key_file: papers.path("old.key").into(),
        root_ca_certs_path: papers.path("old-ca.crt").into(),
        auth_clients: AuthClients::Optional,
        ..settings(&papers)
    });
    assert!(attempt(&mut world, connector()).is_ok());
    let name = attempt(&mut world, showing(&own)).unwrap();
    assert_eq!(name.as_deref(), Some("*"), "a node shows the certificate they share");
}

#[test]
fn a_chain_is_sent_with_its_intermediates() {
    let papers = Papers::new();
    let middle = papers
        .issue("middle", &Wanted { common: &[plain(b"middle")], is_ca: true, ..Wanted::default() });
    let leaf = issue(&server(), ec(), Some(&middle));
    let mut chain = leaf.certificate.to_pem().unwrap();
    chain.extend(middle.certificate.to_pem().unwrap());
    papers.write("leaf.key", &leaf.key.private_key_to_pem_pkcs8().unwrap());
    let mut world = World::new(Settings {
        certificate_file: papers.write("chain.crt", &chain).into(),
        private_key_file: papers.path("leaf.key").into(),
        ..settings(&papers)
    });
    let stream = world.accept();
    let shown: Vec<Vec<u8>> = world.serve_while(|| {
        let tls = connect(connector(), stream).unwrap();
        tls.ssl().peer_cert_chain().unwrap().iter().map(|one| one.to_der().unwrap()).collect()
    });
    let der = |one: &X509| one.to_der().unwrap();
    assert_eq!(shown, [der(&leaf.certificate), der(&middle.certificate)]);
}

#[test]
fn what_cannot_serve_is_refused_with_file_and_reason() {
    let papers = Papers::new();
    papers.issue("other", &server());
    papers.issue("past", &Wanted { days: (-30, -1), ..server() });
    papers.issue("future", &Wanted { days: (2, 30), ..server() });
    let ed = issue_ed(&papers);
    let mixed = [papers.path("server.crt"), papers.path("other.crt")]
        .map(|path| std::fs::read(path).unwrap())
        .concat();
    papers.write("mixed.crt", &mixed);
    papers.write("empty", b"");
    let good = settings(&papers);
    let locked = papers.encrypt("locked.key", &papers.issue("l", &server()), b"secret");
    let base = |certificate: &str, key: &str| Settings {
        certificate_file: papers.path(certificate).into(),
        private_key_file: papers.path(key).into(),
        ..good.clone()
    };
    let dh = "dh-params-file";
    let cases = [
        (base("gone", "server.key"), "certificate-file", "No such file"),
        (base("server.crt", "gone"), "private-key-file", "No such file"),
        (base("server.crt", "other.key"), "private-key-file", "does not match"),
        (base("past.crt", "past.key"), "certificate-file", "expired on"),
        (base("future.crt", "future.key"), "certificate-file", "not valid before"),
        (base("mixed.crt", "server.key"), "certificate-file", "out of order"),
        (base("empty", "server.key"), "certificate-file", "no PEM certificate"),
        (base("server.crt", "server.crt"), "private-key-file", "not a PEM private key"),
        (base("l.crt", "locked.key"), "private-key-file", "encrypted"),
        (
            Settings { key_password: "wrong".into(), ..base("l.crt", "locked.key") },
            &locked[..],
            "password",
        ),
        (ed, "private-key-file", "only RSA and ECDSA"),
        (
            Settings { ca_file: papers.path("empty").into(), ..good.clone() },
            "tls-ca-cert-file",
            "no PEM",
        ),
        (
            Settings { root_ca_certs_path: "/nowhere".into(), ..good.clone() },
            "root-ca-certs-path",
            "No such",
        ),
        (Settings { ca_dir: "/nowhere".into(), ..good.clone() }, "tls-ca-cert-dir", "No such"),
        (
            Settings { dh_params_file: papers.path("server.crt").into(), ..good.clone() },
            dh,
            "no PEM DH",
        ),
        (
            Settings { client_certificate_file: papers.path("other.crt").into(), ..good.clone() },
            "tls-client-key-file",
            "not given",
        ),
        (
            Settings { certificate_file: String::new().into(), ..good.clone() },
            "certificate-file",
            "not given",
        ),
    ];
    for (settings, place, reason) in cases {
        let error = Ssl::load(settings, now_s()).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(reason), "{place}, {reason}: {error}");
    }
    let opened = Settings { key_password: "secret".into(), ..base("l.crt", "locked.key") };
    Ssl::load(opened, now_s()).unwrap();
    // Nothing wanted, nothing read.
    let idle = Settings { enable_ssl: false, ..base("gone", "gone") };
    let ssl = Ssl::load(idle, now_s()).unwrap();
    let off = [("ssl_compiled", "yes"), ("ssl_enabled", "no")].map(|(n, v)| (n.into(), v.into()));
    assert_eq!(ssl.info(now_s()), off);
}

fn issue_ed(papers: &Papers) -> Settings {
    let key = PKey::generate_ed25519().unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(&key).unwrap();
    let day = |days| openssl::asn1::Asn1Time::days_from_now(days).unwrap();
    builder.set_not_before(&day(0)).unwrap();
    builder.set_not_after(&day(9)).unwrap();
    builder.sign(&key, openssl::hash::MessageDigest::null()).unwrap();
    Settings {
        certificate_file: papers.write("ed.crt", &builder.build().to_pem().unwrap()).into(),
        private_key_file: papers.write("ed.key", &key.private_key_to_pem_pkcs8().unwrap()).into(),
        ..settings(papers)
    }
}

#[test]
fn roots_may_be_a_directory() {
    let papers = Papers::new();
    let good = papers.issue("good", &Wanted { common: &[plain(b"ann")], ..Wanted::default() });
    let folder = std::path::Path::new(&papers.path("ca.crt")).parent().unwrap().to_owned();
    let mut world = World::new(Settings {
        auth_clients: AuthClients::Yes,
        root_ca_certs_path: folder.to_str().unwrap().into(),
        ..settings(&papers)
    });
    assert!(attempt(&mut world, showing(&good)).is_ok());
}

#[test]
fn a_resumed_session_is_held_to_the_rules_for_clients_again() {
    // s2n gives no tickets where it asks for certificates, so each client shows its own anew;
    // and when the rules change, so do the keys of tickets.
    let papers = Papers::new();
    let good = papers.issue("good", &Wanted { common: &[plain(b"ann")], ..Wanted::default() });
    let mut world = World::new(mutual(&papers, AuthClients::Optional));
    let (sender, sessions) = std::sync::mpsc::channel();
    let mut builder = showing(&good);
    builder.set_max_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    builder.set_session_cache_mode(openssl::ssl::SslSessionCacheMode::CLIENT);
    builder.set_new_session_callback(move |_, session| drop(sender.send(session)));
    attempt(&mut world, builder).unwrap();
    assert!(sessions.try_recv().is_err(), "no ticket");
}
