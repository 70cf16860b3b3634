//! The cookies by which a browser is known: sealed, out of reach of any script, and sent to
//! nobody but this site.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, header};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{roles::Role, sealed::Sealer, site::Site, user::User};
use crate::config::Config;

/// How many cookies of one name are looked at. A browser sends one; more come from pages of
/// neighbours, or from nobody's browser.
const LOOKED_AT: usize = 4;

/// What a browser keeps for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Who is signed in, for every function.
    Access,
    /// What a new access is got with.
    Refresh,
    /// That somebody signed in with this browser before.
    Device,
    /// That this browser asked for a code.
    Code,
}

impl Kept {
    /// What it is sealed as.
    fn purpose(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Device => "device",
            Self::Code => "code",
        }
    }

    /// The cookie's name. With these beginnings a browser takes a cookie by https alone, and
    /// of `__Host-` from no neighbour that shares a domain.
    fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Access, true) => "__Host-pourtrait-access",
            (Self::Access, false) => "pourtrait-access",
            (Self::Refresh, true) => "__Secure-pourtrait-refresh",
            (Self::Refresh, false) => "pourtrait-refresh",
            (Self::Device, true) => "__Secure-pourtrait-device",
            (Self::Device, false) => "pourtrait-device",
            (Self::Code, true) => "__Secure-pourtrait-code",
            (Self::Code, false) => "pourtrait-code",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Access => "/",
            Self::Refresh | Self::Device | Self::Code => "/api/account",
        }
    }
}

/// A cookie that is there and that we did not make.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forged;

/// The cookies of one request, and those of its answer.
#[derive(Debug)]
pub(crate) struct Jar {
    secret: SecretString,
    site: Site,
    headers: HeaderMap,
}

/// Who is signed in, as the cookie keeps it: what the project's token said when it was given
/// out. Times in seconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    subject: String,
    email: Option<String>,
    role: Option<Role>,
    expires_at: i64,
    idle_until: i64,
}

impl Access {
    /// The access of a person until the token ends that proved them.
    pub(crate) fn of(user: &User, idle_until: Timestamp) -> Self {
        Self {
            subject: user.subject.clone(),
            email: user.email.clone(),
            role: user.role,
            expires_at: user.expires_at.as_second(),
            idle_until: idle_until.as_second(),
        }
    }

    /// Who it is; nobody once it has ended.
    fn user(self, now: Timestamp) -> Option<User> {
        let expires_at = Timestamp::from_second(self.expires_at).ok()?;
        let idle_until = Timestamp::from_second(self.idle_until).ok()?;
        (now < expires_at && now < idle_until).then_some(User {
            subject: self.subject,
            email: self.email,
            role: self.role,
            expires_at,
            idle_until: Some(idle_until),
        })
    }
}

impl Jar {
    /// The cookies of a request; nothing where no project is configured whose people could
    /// sign in.
    pub(crate) fn of<B>(config: &Config, request: &Request<B>) -> Option<Self> {
        let supabase = config.supabase.as_ref()?;
        Some(Self {
            secret: supabase.key.secret().clone(),
            site: Site::of(request, config.base_url.as_ref()),
            headers: request.headers().clone(),
        })
    }

    /// Whether the request may change something for whoever these cookies name: it reads, or
    /// a page of ours made it.
    pub(crate) fn may_act(&self, method: &Method) -> bool {
        method.is_safe() || self.site.is_origin_of(&self.headers)
    }

    /// What a cookie keeps; nothing without one.
    ///
    /// # Errors
    /// [`Forged`] where none of its name is one of ours.
    pub(crate) fn read<T: DeserializeOwned>(&self, kept: Kept) -> Result<Option<T>, Forged> {
        let Some(sealer) = Sealer::new(&self.secret, kept.purpose()) else {
            return Ok(None);
        };
        let name = kept.name(self.site.is_secure());
        let mut found = values(&self.headers, name).take(LOOKED_AT).peekable();
        if found.peek().is_none() {
            return Ok(None);
        }
        found
            .find_map(|text| sealer.open(text))
            .map(Some)
            .ok_or(Forged)
    }

    /// Who the access names, at that time.
    ///
    /// # Errors
    /// [`Forged`] as above.
    pub(crate) fn user(&self, now: Timestamp) -> Result<Option<User>, Forged> {
        let access: Option<Access> = self.read(Kept::Access)?;
        Ok(access.and_then(|access| access.user(now)))
    }

    /// Makes a browser keep something for so long; nothing where it cannot be sealed, or is
    /// more than a browser keeps.
    pub(crate) fn keep(
        &self,
        kept: Kept,
        value: &impl Serialize,
        life: Duration,
    ) -> Option<HeaderValue> {
        let sealed = Sealer::new(&self.secret, kept.purpose())?.seal(value)?;
        let cookie = self.cookie(kept, &sealed, life.as_secs());
        (cookie.len() <= 4_096).then(|| cookie.parse().ok())?
    }

    /// Makes a browser forget it.
    pub(crate) fn forget(&self, kept: Kept) -> Option<HeaderValue> {
        self.cookie(kept, "", 0).parse().ok()
    }

    fn cookie(&self, kept: Kept, value: &str, seconds: u64) -> String {
        let is_secure = self.site.is_secure();
        let (name, path) = (kept.name(is_secure), kept.path());
        let secure = if is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// The values of all cookies of one name.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(known, _)| *known == name)
        .map(|(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn jar(host: &str, cookies: &[&str]) -> Jar {
        let mut request = Request::new(());
        let headers = request.headers_mut();
        headers.insert(header::HOST, host.parse().unwrap());
        for cookie in cookies {
            headers.append(header::COOKIE, cookie.parse().unwrap());
        }
        let config = Config::from_lookup(&|name| {
            let value = match name {
                "SUPABASE_URL" => "https://project.supabase.co",
                "SUPABASE_SECRET_KEY" => "sb_secret_x",
                _ => return None,
            };
            Some(value.to_owned())
        });
        Jar::of(&config, &request).unwrap()
    }

    fn anna(expires_at: i64) -> User {
        User {
            subject: "7b0c3a52-0000-4000-8000-000000000001".to_owned(),
            email: Some("anna@wine.example".to_owned()),
            role: Some(Role::Responder),
            expires_at: time(expires_at),
            idle_until: Some(time(NOW + 43_200)),
        }
    }

    fn set(jar: &Jar, expires_at: i64, idle_until: i64) -> String {
        let access = Access::of(&anna(expires_at), time(idle_until));
        let cookie = jar.keep(Kept::Access, &access, Duration::from_secs(3_600));
        cookie.unwrap().to_str().unwrap().to_owned()
    }

    fn pair(cookie: &str) -> &str {
        cookie.split(';').next().unwrap()
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_neighbours_and_other_sites() {
        let cookie = set(&jar("ops.wine.example", &[]), NOW, NOW);
        let (pair, rest) = cookie.split_once(';').unwrap();
        assert!(pair.starts_with("__Host-pourtrait-access="), "{pair}");
        assert_eq!(
            rest,
            " Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure"
        );
        let local = jar("127.0.0.1:8787", &[]);
        assert!(!set(&local, NOW, NOW).contains("Secure"));
        let forgotten = jar("ops.wine.example", &[]).forget(Kept::Refresh).unwrap();
        assert_eq!(
            forgotten,
            "__Secure-pourtrait-refresh=; Path=/api/account; Max-Age=0; HttpOnly; SameSite=Strict; Secure"
        );
    }

    #[test]
    fn who_is_signed_in_is_read_back_until_the_token_ends_or_the_idle_time_does() {
        let host = "ops.wine.example";
        for (expires_at, idle_until, signed_in) in [
            (NOW + 1, NOW + 1, true),
            (NOW, NOW + 1, false),
            (NOW + 1, NOW, false),
        ] {
            let cookie = set(&jar(host, &[]), expires_at, idle_until);
            let user = jar(host, &[pair(&cookie)]).user(time(NOW)).unwrap();
            assert_eq!(user.is_some(), signed_in, "{expires_at} {idle_until}");
            if let Some(user) = user {
                assert_eq!(user.email.as_deref(), Some("anna@wine.example"));
                assert_eq!(user.role, Some(Role::Responder));
            }
        }
    }

    #[test]
    fn a_cookie_that_is_forged_of_another_kind_or_too_large_is_nobody_s() {
        let host = "ops.wine.example";
        let own = set(&jar(host, &[]), NOW + 60, NOW + 60);
        let name = "__Host-pourtrait-access";
        let refresh = jar(host, &[]).keep(Kept::Refresh, &anna_access(), Duration::from_secs(60));
        let refresh = refresh.unwrap().to_str().unwrap().to_owned();
        let moved = pair(&refresh).replace("__Secure-pourtrait-refresh", name);
        for (what, cookies, expected) in [
            ("right", vec![pair(&own)], Ok(true)),
            ("none", vec![], Ok(false)),
            ("another name", vec!["theme=dark"], Ok(false)),
            (
                "the name of plain http",
                vec!["pourtrait-access=x"],
                Ok(false),
            ),
            ("rubbish", vec!["__Host-pourtrait-access=x"], Err(Forged)),
            ("empty", vec!["__Host-pourtrait-access="], Err(Forged)),
            ("of another kind", vec![moved.as_str()], Err(Forged)),
            (
                "beside a forged one",
                vec!["__Host-pourtrait-access=x", pair(&own)],
                Ok(true),
            ),
        ] {
            let user = jar(host, &cookies).user(time(NOW));
            assert_eq!(user.map(|user| user.is_some()), expected, "{what}");
        }
        let giant = format!("{name}={}", "A".repeat(1 << 20));
        assert_eq!(jar(host, &[&giant]).user(time(NOW)), Err(Forged));
        let many = vec![format!("{name}=x"); 10_000].join("; ");
        let late = format!("{many}; {}", pair(&own));
        assert_eq!(
            jar(host, &[&late]).user(time(NOW)),
            Err(Forged),
            "past those looked at"
        );
    }

    fn anna_access() -> Access {
        Access::of(&anna(NOW + 60), time(NOW + 60))
    }

    #[test]
    fn what_no_browser_would_keep_is_not_set() {
        let jar = jar("ops.wine.example", &[]);
        let mut user = anna(NOW + 60);
        user.email = Some("a".repeat(5_000));
        let access = Access::of(&user, time(NOW));
        assert!(
            jar.keep(Kept::Access, &access, Duration::from_secs(1))
                .is_none()
        );
    }
}
