//! Who is at the other end: the words left when those of banks, card machines and places are gone.

use super::words::{ACQUIRERS, CHANNELS, CITIES, ENDINGS, PLATFORMS, STATES};

/// The payee of a clean text; empty where nobody is named. Ends: every round but the last takes a word away, and
/// what a platform is called is the name of that platform.
pub(super) fn of(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').filter(|it| !it.is_empty()).collect();
    loop {
        let before = words.len();
        strip_front(&mut words);
        if let Some(platform) = platform(&words) {
            return platform.to_owned();
        }
        strip_back(&mut words);
        if words.len() == before {
            return words.join(" ");
        }
    }
}

fn platform(words: &[&str]) -> Option<&'static str> {
    let starts = |name: &str| name.split(' ').eq(words.iter().copied().take(name.split(' ').count()));
    PLATFORMS.iter().find(|(name, _)| starts(name)).map(|(_, platform)| *platform)
}

fn strip_front(words: &mut Vec<&str>) {
    let channels = words.iter().take_while(|word| CHANNELS.contains(word)).count();
    words.drain(..channels);
    if words.len() > 1 && ACQUIRERS.contains(&words[0]) {
        words.remove(0);
    }
}

fn strip_back(words: &mut Vec<&str>) {
    if let Some(at) = words.iter().position(|word| *word == "agencia")
        && at > 0
    {
        words.truncate(at);
    }
    while words.len() > 1 && words.last().is_some_and(|word| ENDINGS.contains(word)) {
        words.pop();
    }
    // "DROGARIA SAO PAULO" keeps its city: without it the name would be one word.
    if words.len() > 2 && words.last().is_some_and(|word| STATES.contains(word)) {
        words.pop();
    }
    let ends = |words: &[&str], city: &str| {
        let count = city.split(' ').count();
        words.len() >= count + 2 && city.split(' ').eq(words[words.len() - count..].iter().copied())
    };
    if let Some(city) = CITIES.iter().find(|city| ends(words, city)) {
        words.truncate(words.len() - city.split(' ').count());
    }
}
