//! What proves who somebody is: signed tokens, passwords, API tokens. Nothing here knows a database or a request.
//!
//! * `tokens`: JWTs, ours and those of an issuer; the algorithm belongs to the key, whatever a token's header says
//! * `issuer`: the public keys of an external issuer
//! * `provider`: hands the signatures of `ring` to the JWT library
//! * `hasher`: passwords, hashed beside the requests
//! * `throttle`: slows down whoever guesses
//! * `key`: the text of API tokens
//! * `live`: what was found to be good a moment ago
//! * `verified`: what tokens say whose signature was good
//! * `random`: ids that nobody can guess

pub(crate) use hasher::{Hasher, Overloaded, Strength};
pub(crate) use issuer::Issuer;
pub(crate) use key::Key;
pub(crate) use live::Live;
pub(crate) use random::random_id;
pub(crate) use throttle::Throttle;
pub(crate) use tokens::{TokenError, Tokens};

mod hasher;
mod issuer;
mod key;
mod live;
mod provider;
mod random;
mod throttle;
mod tokens;
mod verified;
