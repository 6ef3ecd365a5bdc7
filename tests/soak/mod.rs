//! A soak run: clients of two instances of the energy service on one `PostgreSQL` read and change at random, and each
//! answer is compared with a model of the states meanwhile.
//!
//! Without a change on the way there is one right answer. Where changes race with a request, its answer has to be right
//! as of the moments at which the guard and the handler may have looked: between the request and the answer, and for the
//! handler after the body, which clients hold back until a change has taken place. After each change both instances get
//! requests whose answers it has turned, before the next change there: no old state may be remembered. In the end the
//! database has to hold the state of the model.
//!
//! * `AUTH_TEST_SOAK_STEPS`: how long the run is, in steps of all clients together. A step is one request, or a change
//!   with up to six requests about it; a hundred or so take a second.
//! * `AUTH_TEST_SOAK_SEED`: the seed of the random choices; a run prints its own. The first fifth of a run is that of a
//!   single client, and is the same again with the same seed. In the rest clients race as they like.

mod ask;
mod beginning;
mod choose;
mod client;
mod history;
mod model;
mod right;
mod run;
mod stored;
mod tally;
mod verdict;
mod walk;
mod world;
