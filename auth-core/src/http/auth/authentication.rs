//! Phase 1: which subject sends the request, by the first mechanism that recognizes its credentials.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Instant,
};

use actix_web::HttpRequest;
use tokio::sync::oneshot;

use super::{Auth, Identity, LogInRequirement};
use crate::{
    context::{LoadError, blocking},
    error::AuthError,
    event::Check,
    mechanism::{Authenticated, Begun, Challenge, DynMechanism, Refused, Rejection, Why, Work},
    vocabulary::{AllowReason, Decision, DenyReason, Subject},
};

/// The part of a guard that follows on the thread on which a mechanism has found the subject.
pub(crate) trait Next: Send + 'static {
    /// May block.
    fn follow(&mut self, subject: &Arc<dyn Subject>);

    /// When it began, if it did and is observed.
    fn began(&self) -> Option<Instant>;
}

/// Nothing follows.
pub(crate) enum NothingNext {}

impl Next for NothingNext {
    fn follow(&mut self, _: &Arc<dyn Subject>) {
        match *self {}
    }

    fn began(&self) -> Option<Instant> {
        match *self {}
    }
}

/// Why a mechanism rejects a request, and the subject if it was known before.
struct Failure {
    rejection: Rejection,
    subject: Option<Arc<dyn Subject>>,
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, subject: None }
    }
}

impl Auth {
    /// The request's subject, by a mechanism that the guard accepts; 401 if there is none. `is_known`: the request may keep
    /// the identity already. `next` comes back, and has followed if the mechanism has a thread.
    pub(crate) async fn authenticate<N: Next>(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        is_known: bool,
        mut next: Option<N>,
    ) -> Result<(Identity, Option<N>), AuthError> {
        let started = self.clock();
        let kept = if is_known { self.cached_identity(request) } else { None };
        let kept = kept.filter(|identity| self.accepts(accepted, identity));
        let is_new = kept.is_none();
        let identity = match kept {
            Some(identity) => Ok(Some(identity)),
            None => pin!(self.identify(request, accepted, &mut next, started)).await,
        };
        let check = self.authentication(request, started);
        let Some(identity) = self.noting_nobody(request, identity)? else {
            check.decided(Decision::Deny(DenyReason::Anonymous));
            return Err(self.unauthenticated(accepted, "", Why::Missing));
        };
        let check = Check { ended: next.as_ref().and_then(N::began), ..identity.checked(check) };
        if let Some(within) = self.stale(request, accepted, &identity) {
            check.decided(Decision::Deny(DenyReason::Stale));
            return Err(self.unauthenticated(accepted, identity.mechanism, Why::Stale { within }));
        }
        if is_new {
            check.decided(Decision::Allow(AllowReason::Match));
        }
        Ok((identity, next))
    }

    /// The subject that the handler's guard found, or else that of a mechanism which is accepted by default, if there is
    /// one.
    pub(crate) async fn current(&self, request: &HttpRequest) -> Result<Option<Identity>, AuthError> {
        if let Some(identity) = self.cached_identity(request) {
            return Ok(Some(identity));
        }
        let by_default = LogInRequirement::any_mechanism();
        if self.mechanisms(&by_default).next().is_none() {
            return Ok(None);
        }
        let started = self.clock();
        let identity = self.identify(request, &by_default, &mut None::<NothingNext>, started).await;
        let identity = self.noting_nobody(request, identity)?;
        let check = self.authentication(request, started);
        Ok(identity.inspect(|identity| identity.checked(check).decided(Decision::Allow(AllowReason::Match))))
    }

    /// As [`current`](Self::current), but 401 if no subject is logged in.
    pub(crate) async fn current_or_refused(&self, request: &HttpRequest) -> Result<Identity, AuthError> {
        if let Some(identity) = self.cached_identity(request) {
            return Ok(identity);
        }
        let by_default = LogInRequirement::any_mechanism();
        let (identity, _) = self.authenticate(request, &by_default, false, None::<NothingNext>).await?;
        Ok(identity)
    }

    /// Tries the accepted mechanisms in the order in which they were added. The request keeps the identity that the first
    /// one finds.
    async fn identify<N: Next>(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        next: &mut Option<N>,
        started: Option<Instant>,
    ) -> Result<Option<Identity>, AuthError> {
        let mut accepts_any = false;
        for mechanism in self.mechanisms(accepted) {
            accepts_any = true;
            let check =
                || Check { mechanism: Some(mechanism.name()), ..self.authentication(request, started) };
            match pin!(self.try_mechanism(mechanism, request, next)).await {
                Ok(None) => {}
                Ok(Some(authenticated)) => {
                    let identity = Identity { by: self.clone(), mechanism: mechanism.name(), authenticated };
                    if self.keep_identity(request, &identity) {
                        return Ok(Some(identity));
                    }
                    identity.checked(check()).decided(Decision::Deny(DenyReason::BadCredentials));
                    return Err(self.unauthenticated(accepted, mechanism.name(), Why::Rejected));
                }
                Err(failure) => return Err(self.rejected(accepted, mechanism, failure, &check())),
            }
        }
        if !accepts_any {
            tracing::error!(
                target: "auth",
                ?accepted,
                configured = ?self,
                "a guard accepts none of the configured mechanisms, so it answers 500: \
                 add one that it accepts to `Auth::builder()`, or name one in the attribute that is there"
            );
            return Err(self.authentication(request, started).misconfigured());
        }
        Ok(None)
    }

    /// Whether the identity was found by one of the accepted mechanisms.
    fn accepts(&self, accepted: &LogInRequirement, identity: &Identity) -> bool {
        self.mechanisms(accepted).any(|mechanism| mechanism.name() == identity.mechanism)
    }

    async fn try_mechanism<N: Next>(
        &self,
        mechanism: &dyn DynMechanism,
        request: &HttpRequest,
        next: &mut Option<N>,
    ) -> Result<Option<Authenticated>, Failure> {
        match mechanism.begin(request)? {
            Begun::NoCredentials => Ok(None),
            Begun::Blocking(work) => pin!(self.run(work, next)).await,
            Begun::Asynchronous => Ok(self.in_time(mechanism.authenticate(request)).await?),
        }
    }

    /// Runs the work of a mechanism, and what comes next, on one thread.
    async fn run<N: Next>(&self, work: Work, next: &mut Option<N>) -> Result<Option<Authenticated>, Failure> {
        let mut following = next.take();
        let (known, mut subject) = following.as_ref().map(|_| oneshot::channel()).unzip();
        let job = blocking::on_thread(move || {
            let found = work();
            // The request learns the subject first: if the rest hangs, the event of the failure has it. Nothing follows
            // for a request that has ended.
            if let (Ok(Authenticated { subject, .. }), Some(next), Some(known)) =
                (&found, &mut following, known)
                && known.send(Arc::clone(subject)).is_ok()
            {
                // A failed load must not undo the authentication.
                let _ = catch_unwind(AssertUnwindSafe(|| next.follow(subject)));
            }
            Ok::<_, LoadError>((found, following))
        });
        let (found, following) = pin!(self.in_time(pin!(job))).await.map_err(|error| Failure {
            rejection: error.into(),
            subject: subject.as_mut().and_then(|subject: &mut oneshot::Receiver<_>| subject.try_recv().ok()),
        })?;
        *next = following;
        Ok(found.map_or_else(Refused::answer, |authenticated| Ok(Some(authenticated)))?)
    }

    fn rejected(
        &self,
        accepted: &LogInRequirement,
        mechanism: &dyn DynMechanism,
        Failure { rejection, subject }: Failure,
        check: &Check<'_>,
    ) -> AuthError {
        match rejection {
            Rejection::BadCredentials => {
                check.decided(Decision::Deny(DenyReason::BadCredentials));
                self.unauthenticated(accepted, mechanism.name(), Why::Rejected)
            }
            Rejection::TooManyRequests { retry_after } => {
                check.decided(Decision::Deny(DenyReason::TooManyRequests { retry_after }));
                AuthError::TooManyRequests { retry_after }
            }
            Rejection::Unavailable(error) => {
                Check { subject: subject.as_deref(), ..*check }.failed(&*error);
                AuthError::Unavailable
            }
            Rejection::CrossSite => {
                check.decided(Decision::Deny(DenyReason::CrossSite));
                AuthError::Forbidden
            }
            Rejection::Misconfigured => check.misconfigured(),
        }
    }

    /// A 401 with the challenges of all accepted mechanisms; that of `mechanism` says why it denies.
    fn unauthenticated(&self, accepted: &LogInRequirement, mechanism: &str, why: Why) -> AuthError {
        let challenge = |accepts: &dyn DynMechanism| {
            let why = if accepts.name() == mechanism { why } else { Why::Missing };
            accepts.challenge(&Challenge { why, realm: accepted.realm })
        };
        AuthError::Unauthenticated(self.mechanisms(accepted).filter_map(challenge).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Sender, channel},
        time::Duration,
    };

    use tokio::{runtime::Builder, time::timeout};

    use super::*;
    use crate::{mechanism::Mechanism, vocabulary::User};

    struct Unused;

    impl Mechanism for Unused {
        fn name(&self) -> &'static str {
            "unused"
        }

        async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
            Ok(None)
        }
    }

    /// Sends the subject that it follows.
    struct SendsSubject(Sender<Arc<dyn Subject>>);

    impl Next for SendsSubject {
        fn follow(&mut self, subject: &Arc<dyn Subject>) {
            self.0.send(Arc::clone(subject)).unwrap();
            panic!("a bug in what follows");
        }

        fn began(&self) -> Option<Instant> {
            None
        }
    }

    fn mia() -> Authenticated {
        User::new("mia").into()
    }

    fn with_auth<T>(test: impl AsyncFnOnce(Auth) -> T) -> T {
        let auth = Auth::builder().mechanism(Unused).build().unwrap();
        Builder::new_current_thread().enable_time().build().unwrap().block_on(test(auth))
    }

    #[test]
    fn a_check_that_is_not_observed_reads_no_clock() {
        with_auth(async |auth| {
            let request = actix_web::test::TestRequest::default().to_http_request();
            assert_eq!(auth.check("roles_required", &request).started, None);
            assert!(!auth.is_observed());
        });
    }

    #[test]
    fn what_follows_undoes_no_authentication() {
        with_auth(async |auth| {
            let (subjects, followed) = channel();
            let mut next = Some(SendsSubject(subjects));
            let Ok(Some(Authenticated { subject, .. })) = auth.run(Box::new(|| Ok(mia())), &mut next).await
            else {
                panic!("there is a subject")
            };
            assert!(Arc::ptr_eq(&followed.recv().unwrap(), &subject), "it is that very subject");
            assert!(next.is_some(), "it comes back");
        });
    }

    #[test]
    fn nothing_follows_for_a_request_that_waits_no_longer() {
        with_auth(async |auth| {
            let (subjects, followed) = channel();
            let (release, hold) = channel::<()>();
            let work = move || {
                hold.recv().unwrap();
                Ok(mia())
            };
            let mut next = Some(SendsSubject(subjects));
            let run = auth.run(Box::new(work), &mut next);
            assert!(timeout(Duration::from_millis(20), run).await.is_err());
            release.send(()).unwrap();
            // It waits until the thread has dropped what would have followed.
            assert!(followed.recv().is_err());
        });
    }

    #[test]
    fn a_rejection_follows_nothing() {
        with_auth(async |auth| {
            let (subjects, followed) = channel();
            let mut next = Some(SendsSubject(subjects));
            let work = || Err(Rejection::BadCredentials.into());
            let failure = auth.run(Box::new(work), &mut next).await.err().unwrap();
            assert!(matches!(failure, Failure { rejection: Rejection::BadCredentials, subject: None }));
            assert!(followed.try_recv().is_err());
            assert!(next.is_some(), "another mechanism may find the subject");
        });
    }
}
