//! What the claims of a user token have to say. Pure: the signature was checked
//! before, and the time is an argument.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Verdict, roles::Role, user::User};

/// How far the clocks of issuer and instance may differ, in seconds.
const LEEWAY_S: f64 = 60.0;

/// The audience and the role of every user that is signed in. API keys are
/// tokens of other roles.
const AUTHENTICATED: &str = "authenticated";

/// Judges the claims of a token that the project at `issuer` signed.
///
/// What does not hold for a user of that project, now, is a wrong proof. A user
/// whose `app_metadata` names a role that is none of ours, or none in whatever shape,
/// is proven and has none.
pub(super) fn judge(claims: &Map<String, Value>, issuer: &str, now: Timestamp) -> Verdict<User> {
    let is =
        |name: &str, expected: &str| claims.get(name).and_then(Value::as_str) == Some(expected);
    let subject = claims
        .get("sub")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_user = is("iss", issuer)
        && is("role", AUTHENTICATED)
        && is_for_users(claims.get("aud"))
        && !subject.is_empty()
        && is_current(claims, now.as_duration().as_secs_f64());
    if !is_user {
        return Verdict::Wrong;
    }
    let metadata = claims.get("app_metadata");
    let role = metadata.and_then(|metadata| metadata.get("role")?.as_str());
    let email = claims.get("email").and_then(Value::as_str);
    Verdict::Right(User {
        subject: subject.to_owned(),
        email: email.filter(|email| !email.is_empty()).map(str::to_owned),
        role: role.and_then(Role::parse),
        expires_at: end(claims),
        idle_until: None,
    })
}

/// When the token ends, to the second. It was seen to end at a time that lies ahead, or a
/// moment ago; what no clock shows is as late as any.
#[expect(
    clippy::cast_possible_truncation,
    reason = "times beyond any clock saturate"
)]
fn end(claims: &Map<String, Value>) -> Timestamp {
    let seconds = claims
        .get("exp")
        .and_then(Value::as_f64)
        .unwrap_or_default();
    Timestamp::from_second(seconds as i64).unwrap_or(Timestamp::MAX)
}

/// An audience is one name, or several of which one has to fit.
fn is_for_users(audience: Option<&Value>) -> bool {
    match audience {
        Some(Value::Array(several)) => several.iter().any(|one| one == AUTHENTICATED),
        Some(one) => one == AUTHENTICATED,
        None => false,
    }
}

/// Whether the token has begun, has not ended, and was not issued in the future.
/// It has to say when it ends; the other two it may leave out.
fn is_current(claims: &Map<String, Value>, now: f64) -> bool {
    let has_come = |name: &str| match claims.get(name) {
        None => true,
        Some(time) => time.as_f64().is_some_and(|time| time - LEEWAY_S <= now),
    };
    let ends = claims.get("exp").and_then(Value::as_f64);
    ends.is_some_and(|end| now < end + LEEWAY_S) && has_come("nbf") && has_come("iat")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://project.supabase.co/auth/v1";
    const NOW: i64 = 1_800_000_000;

    /// The claims of an admin, all of them right.
    fn admin() -> Map<String, Value> {
        let claims = json!({
            "iss": ISSUER, "sub": "7b0c3a52-0000-4000-8000-000000000001", "aud": "authenticated",
            "role": "authenticated", "exp": NOW + 3_600, "nbf": NOW, "iat": NOW,
            "app_metadata": {"role": "admin"}, "user_metadata": {},
        });
        claims.as_object().unwrap().clone()
    }

    fn judged(claims: &Map<String, Value>) -> &'static str {
        match judge(claims, ISSUER, Timestamp::from_second(NOW).unwrap()) {
            Verdict::Right(User { role: None, .. }) => "no role",
            Verdict::Right(User {
                role: Some(role), ..
            }) => role.as_str(),
            Verdict::Forbidden(_) => "forbidden",
            Verdict::Wrong => "wrong",
            Verdict::Unproven => "unproven",
        }
    }

    #[test]
    fn one_claim_alone_decides_what_a_token_is() {
        for (claim, value, expected) in [
            ("iss", json!(ISSUER), "admin"),
            ("iss", json!("https://other.supabase.co/auth/v1"), "wrong"),
            (
                "iss",
                json!("https://project.supabase.co/auth/v1/"),
                "wrong",
            ),
            ("iss", json!([ISSUER]), "wrong"),
            ("iss", json!(null), "wrong"),
            ("aud", json!(["api", "authenticated"]), "admin"),
            ("aud", json!("anon"), "wrong"),
            ("aud", json!(["anon"]), "wrong"),
            ("aud", json!([]), "wrong"),
            ("aud", json!({"authenticated": true}), "wrong"),
            ("role", json!("anon"), "wrong"),
            ("role", json!("service_role"), "wrong"),
            ("role", json!(["authenticated"]), "wrong"),
            ("role", json!(null), "wrong"),
            ("sub", json!(""), "wrong"),
            ("sub", json!(7), "wrong"),
            ("exp", json!(NOW - 59), "admin"),
            ("exp", json!(NOW - 60), "wrong"),
            ("exp", json!((NOW + 60).to_string()), "wrong"),
            ("nbf", json!(NOW + 60), "admin"),
            ("nbf", json!(NOW + 61), "wrong"),
            ("nbf", json!("soon"), "wrong"),
            ("iat", json!(NOW + 60), "admin"),
            ("iat", json!(NOW + 61), "wrong"),
            ("iat", json!(null), "wrong"),
            ("app_metadata", json!({"role": "viewer"}), "viewer"),
            ("app_metadata", json!({"role": "responder"}), "responder"),
            ("app_metadata", json!({"role": "user"}), "no role"),
            ("app_metadata", json!({"role": "Admin"}), "no role"),
            ("app_metadata", json!({"role": ["admin"]}), "no role"),
            ("app_metadata", json!({"role": {"admin": true}}), "no role"),
            ("app_metadata", json!({"role": null}), "no role"),
            ("app_metadata", json!({}), "no role"),
            ("app_metadata", json!("admin"), "no role"),
            ("app_metadata", json!(null), "no role"),
            ("user_metadata", json!({"role": "user"}), "admin"),
            ("user_role", json!("viewer"), "admin"),
        ] {
            let mut claims = admin();
            claims.insert(claim.to_owned(), value.clone());
            assert_eq!(judged(&claims), expected, "{claim} {value}");
        }
    }

    #[test]
    fn one_claim_alone_that_is_missing_decides_too() {
        for (claim, expected) in [
            ("iss", "wrong"),
            ("aud", "wrong"),
            ("role", "wrong"),
            ("sub", "wrong"),
            ("exp", "wrong"),
            ("nbf", "admin"),
            ("iat", "admin"),
            ("app_metadata", "no role"),
            ("user_metadata", "admin"),
        ] {
            let mut claims = admin();
            claims.remove(claim).expect(claim);
            assert_eq!(judged(&claims), expected, "without {claim}");
        }
    }

    #[test]
    fn what_users_write_themselves_makes_nobody_an_admin() {
        let mut claims = admin();
        claims.insert("app_metadata".to_owned(), json!({}));
        claims.insert("user_metadata".to_owned(), json!({"role": "admin"}));
        assert_eq!(judged(&claims), "no role");
    }
}
