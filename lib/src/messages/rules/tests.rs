use super::*;
use crate::messages::message_facts::Kind;

#[test]
fn an_id_is_a_rule_and_back() {
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.as_str()), Some(rule));
    }
    assert_eq!(Rule::parse("app_on_fire"), None);
}

#[test]
fn every_rule_of_the_database_has_words() {
    let schema = crate::migrate::Schema::embedded();
    let seed = schema
        .set
        .seeds
        .iter()
        .find(|file| file.path == "seeds/rules.sql")
        .unwrap();
    let ids: Vec<&str> = seed
        .sql
        .lines()
        .filter_map(|line| line.trim().strip_prefix("('")?.split('\'').next())
        .collect();
    assert_eq!(ids.len(), Rule::ALL.len(), "{ids:?}");
    for id in ids {
        assert!(Rule::parse(id).is_some(), "{id} has no words");
    }
}

#[test]
fn an_unknown_rule_is_worded_from_its_facts() {
    let facts = |rule: &str, title: Option<&str>| Facts {
        rule: rule.into(),
        subject: "cellar".into(),
        title: title.map(str::to_owned),
        ..Facts::default()
    };
    assert_eq!(headline(&facts("cellar_warm", None)), "cellar_warm: cellar");
    assert_eq!(headline(&facts("cellar_warm", Some("Warm"))), "Warm");
    assert_eq!(headline(&facts("", None)), "Alert about cellar");
}

#[test]
fn an_early_warning_that_became_urgent_does_not_call_the_certificate_renewed() {
    let facts = |left: f64, limit: f64| Facts {
        rule: "certificate_expiring".into(),
        subject: "wine.example".into(),
        kind: Kind::Resolved,
        value: Some(left),
        threshold: Some(limit),
        ..Facts::default()
    };
    assert_eq!(
        headline(&facts(89.0, 30.0)),
        "The certificate of wine.example is valid for another 89 days"
    );
    assert_eq!(
        headline(&facts(6.0, 30.0)),
        "The earlier warning about the certificate of wine.example is over"
    );
}
