//! What is done for whoever wants to sign in, to stay so, or to sign out.

use http::StatusCode;
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline},
    failure::Failure,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Changed, Session,
    answer_pace::Pace,
    auth_answer::{Said, Tokens},
    kept_session::{AskedForCode, CODE_LIFE, DEVICE_LIFE, IDLE, KeptSession, KnownDevice},
    project_auth::ProjectAuth,
    requested::{Code, Email},
    tries::{Forgiven, Keys, Try},
};
use crate::{
    app::App,
    auth::{
        Newcomer, Person, User,
        cookies::{Access, Forged, Kept},
        try_keys::TryKeys,
    },
    handler,
    problem::Problem,
    push_devices,
};

/// Where one request is dealt with.
pub(super) struct Desk<'a> {
    app: &'a App,
    newcomer: &'a Newcomer,
    auth: ProjectAuth,
    keys: TryKeys,
    pace: Pace,
    deadline: Deadline,
}

impl<'a> Desk<'a> {
    /// Closed where there is no Auth to ask.
    ///
    /// # Errors
    /// 503 without a project or its publishable key.
    pub(super) fn open(
        app: &'a App,
        newcomer: &'a Newcomer,
        deadline: Deadline,
    ) -> Result<Self, Problem> {
        let supabase = app.config.supabase.as_ref();
        let auth = ProjectAuth::of(&app.config, &app.outbound, deadline);
        let (Some(supabase), Some(auth)) = (supabase, auth) else {
            tracing::error!("SUPABASE_PUBLISHABLE_KEY is not set: nobody can sign in");
            return Err(Problem::Unavailable("sign-in is not configured"));
        };
        Ok(Self {
            app,
            newcomer,
            auth,
            keys: TryKeys::new(supabase.key.secret()),
            pace: Pace::begin(),
            deadline,
        })
    }

    /// Signs in by a password.
    pub(super) async fn password(&self, email: &Email, password: &str) -> Result<Changed, Problem> {
        let account = self.account(email);
        let keys = match self.known_device(&account) {
            // Whatever strangers do at the same network is no matter of this browser's.
            Some(device) => Keys::from([("device", device)]),
            None => Keys::from([
                self.client("client"),
                ("account", account.clone()),
                ("pair", self.pair(&account)),
            ]),
        };
        let tried = Try::begin(self.app, keys, self.deadline).await?;
        let said = self.auth.password(email, password).await;
        self.judged(said, tried, account).await
    }

    /// Has a code mailed, and says so in the same way and time whoever has the address.
    pub(super) async fn send_code(&self, email: &Email) -> Result<Changed, Problem> {
        let account = self.account(email);
        let keys = match self.known_device(&account) {
            Some(device) => Keys::from([("mail_device", device)]),
            None => Keys::from([self.client("mail_client"), ("mail", account.clone())]),
        };
        Try::begin(self.app, keys, self.deadline).await?;

        // Auth answers once it has handed a mail over, and at once where there is nobody to
        // write to. So nobody waits for it: it has the request, and goes on by itself.
        let (auth, email) = (self.auth.clone(), email.clone());
        let asked = tokio::spawn(async move { auth.send_code(&email).await });
        let answered = tokio::time::timeout(self.pace.until_code(), asked).await;
        if let Ok(Ok(Err(failure))) = answered {
            return Err(unreached(failure));
        }
        clock::wait(self.pace.until_code()).await;

        let now = clock::now();
        let asked = AskedForCode::new(account, now);
        let life = CODE_LIFE.unsigned_abs();
        Ok(Changed {
            answer: handler::json(StatusCode::OK, &json!({ "sent": true })),
            cookies: vec![self.newcomer.jar.keep(Kept::Code, &asked, life)],
        })
    }

    /// Signs in by a code, in the browser that asked for one.
    pub(super) async fn verify(&self, email: &Email, code: &Code) -> Result<Changed, Problem> {
        let account = self.account(email);
        let asked: Result<Option<AskedForCode>, Forged> = self.newcomer.jar.read(Kept::Code);
        let asked = asked.ok().flatten();
        let asked = asked.filter(|asked| asked.holds_for(&account, clock::now()));
        let Some(asked) = asked else {
            return self.refuse().await;
        };
        let asking = self.keys.of("code", &asked.asking.to_string());
        let keys = Keys::from([("code", asking)]);
        let tried = Try::begin(self.app, keys, self.deadline).await?;
        let said = match &code.0 {
            Some(code) => self.auth.verify(email, code).await,
            None => Said::No,
        };
        self.judged(said, tried, account).await
    }

    /// Goes on with a session.
    pub(super) async fn refresh(&self) -> Result<Changed, Problem> {
        let jar = &self.newcomer.jar;
        let kept = match self.kept_session() {
            Ok(Some(kept)) => kept,
            Ok(None) => return Ok(Changed::signed_out(jar, Err(Problem::NotSignedIn))),
            Err(Forged) => {
                self.newcomer.count()?;
                return Ok(Changed::signed_out(jar, Err(Problem::NotSignedIn)));
            }
        };
        Try::begin(self.app, self.session_keys(&kept), self.deadline).await?;
        match self.auth.refresh(&kept.token).await {
            Said::Yes(tokens) => self.signed_in(&tokens, kept.session),
            Said::No => Ok(Changed::signed_out(jar, Err(Problem::NotSignedIn))),
            Said::TooOften(retry_after) => Err(Problem::TooManyRequests { retry_after }),
            Said::Nothing => Err(no_auth()),
        }
    }

    /// Ends a session, at Auth and in the browser. The browser's part is always done; whether
    /// Auth ended it too is in the answer.
    pub(super) async fn sign_out(&self) -> Result<Changed, Problem> {
        let is_revoked = match self.kept_session() {
            Ok(Some(kept)) => self.revoke(&kept).await,
            Ok(None) | Err(Forged) => true,
        };
        let answer = json!({ "signedIn": false, "revoked": is_revoked });
        let answer = handler::json(StatusCode::OK, &answer);
        Ok(Changed::signed_out(&self.newcomer.jar, answer))
    }

    /// Reaches whoever is signed in by push messages at their browser from now on.
    pub(super) async fn push(
        &self,
        subscription: &Value,
        device: &str,
    ) -> Result<Changed, Problem> {
        let email = self.reachable()?;
        let devices =
            push_devices::add(self.app, &email, subscription, device, self.deadline).await?;
        Ok(Changed::answer(handler::json(StatusCode::OK, &devices)))
    }

    /// Ends that.
    pub(super) async fn end_push(&self, endpoint: &str) -> Result<Changed, Problem> {
        let email = self.reachable()?;
        let devices = push_devices::remove(self.app, &email, endpoint, self.deadline).await?;
        Ok(Changed::answer(handler::json(StatusCode::OK, &devices)))
    }

    /// The address of whoever is signed in by cookie. Only somebody who was given a role can be
    /// a contact: an app may let strangers have any address.
    fn reachable(&self) -> Result<String, Problem> {
        let user = self.newcomer.jar.user(clock::now());
        let user = user.ok().flatten().ok_or(Problem::NotSignedIn)?;
        let known = user.role.and(user.email);
        known.ok_or(Problem::Forbidden)
    }

    async fn revoke(&self, kept: &KeptSession) -> bool {
        let counted = Try::begin(self.app, self.session_keys(kept), self.deadline).await;
        if counted.is_err() {
            return false;
        }
        // Auth ends a session for whoever proves to be in it, by a token of an hour.
        match self.auth.refresh(&kept.token).await {
            Said::Yes(tokens) => self.auth.sign_out(&tokens.access_token).await,
            Said::No => true,
            Said::TooOften(_) | Said::Nothing => false,
        }
    }

    /// What becomes of a password or a code that Auth judged.
    async fn judged(
        &self,
        said: Said<Tokens>,
        tried: Try,
        account: String,
    ) -> Result<Changed, Problem> {
        match said {
            Said::Yes(tokens) => {
                let mut changed = self.signed_in(&tokens, Uuid::new_v4())?;
                tried
                    .forgive(self.app, Forgiven::Succeeded, self.deadline)
                    .await;
                let jar = &self.newcomer.jar;
                let device = KnownDevice {
                    account,
                    device: Uuid::new_v4(),
                };
                changed.cookies.extend([
                    jar.keep(Kept::Device, &device, DEVICE_LIFE),
                    jar.forget(Kept::Code),
                ]);
                Ok(changed)
            }
            Said::No => self.refuse().await,
            Said::TooOften(retry_after) => {
                tried
                    .forgive(self.app, Forgiven::Unjudged, self.deadline)
                    .await;
                Err(Problem::TooManyRequests { retry_after })
            }
            Said::Nothing => {
                tried
                    .forgive(self.app, Forgiven::Unjudged, self.deadline)
                    .await;
                Err(no_auth())
            }
        }
    }

    /// Says that it is not right, whatever it is.
    async fn refuse(&self) -> Result<Changed, Problem> {
        self.newcomer.count()?;
        self.pace.refusal().await;
        Ok(Changed::answer(Err(Problem::NotSignedIn)))
    }

    /// The session, and its cookies.
    fn signed_in(&self, tokens: &Tokens, session: Uuid) -> Result<Changed, Problem> {
        // Cookies know seconds, and the answer says what they know.
        let now = clock::now();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let idle_until = now + IDLE;
        let user = User {
            idle_until: Some(idle_until),
            ..tokens.user(now)
        };
        let kept = KeptSession::new(tokens.refresh_token.clone(), session, now);
        let jar = &self.newcomer.jar;
        let access = jar.keep(
            Kept::Access,
            &Access::of(&user, idle_until),
            life(now, user.expires_at),
        );
        let refresh = jar.keep(Kept::Refresh, &kept, life(now, idle_until));
        if access.is_none() || refresh.is_none() {
            tracing::error!("Auth gave out what no browser keeps in a cookie");
            return Err(no_auth());
        }
        let session = Session::of(Person::User(user), &self.app.config);
        Ok(Changed {
            answer: handler::json(StatusCode::OK, &session),
            cookies: vec![access, refresh],
        })
    }

    /// What the browser keeps of its session; nothing once its owner stayed away too long.
    fn kept_session(&self) -> Result<Option<KeptSession>, Forged> {
        let kept: Option<KeptSession> = self.newcomer.jar.read(Kept::Refresh)?;
        Ok(kept.filter(|kept| !kept.is_idle(clock::now())))
    }

    fn account(&self, Email(address): &Email) -> String {
        self.keys.of("account", address)
    }

    fn pair(&self, account: &str) -> String {
        let pair = format!("{account} {}", self.newcomer.network);
        self.keys.of("pair", &pair)
    }

    fn client(&self, scope: &'static str) -> (&'static str, String) {
        (scope, self.keys.of("client", &self.newcomer.network))
    }

    fn session_keys(&self, kept: &KeptSession) -> Keys {
        Keys::from([(
            "session",
            self.keys.of("session", &kept.session.to_string()),
        )])
    }

    /// The key of this browser, if somebody signed in to that address by it before.
    fn known_device(&self, account: &str) -> Option<String> {
        let known: Option<KnownDevice> = self.newcomer.jar.read(Kept::Device).ok()?;
        let known = known.filter(|known| known.account == account)?;
        Some(self.keys.of("device", &known.device.to_string()))
    }
}

fn life(now: Timestamp, end: Timestamp) -> std::time::Duration {
    end.duration_since(now).try_into().unwrap_or_default()
}

fn no_auth() -> Problem {
    Problem::Unavailable("nobody can sign in now; try again")
}

fn unreached(failure: Failure) -> Problem {
    tracing::error!(%failure, "Auth cannot be asked for a code");
    no_auth()
}
