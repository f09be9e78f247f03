//! Signs in, verifies and signs out with the generated client of Rust: URL, email and password are the arguments.
use client::apis::{access_tokens_api, configuration::Configuration, sessions_api};
use client::models::SignIn;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let mut config = Configuration { base_path: words[1].clone(), ..Configuration::default() };
    let tokens = sessions_api::post_auth_login(&config, SignIn::new(words[2].clone(), words[3].clone())).expect("sign-in");
    config.bearer_access_token = Some(tokens.access_token);
    assert!(access_tokens_api::get_auth_verify(&config).expect("verify").active);
    assert!(sessions_api::post_auth_logout(&config, None).expect("sign-out").revoked);
    assert!(access_tokens_api::get_auth_verify(&config).is_err(), "a signed-out token was not refused");
    println!("used");
}
