//! Panics as words with their place: what another crate ends with one of is an error like any other here.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// `None` where panics are nobody's business here; otherwise the last panic's words.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic becomes an error such as `panicked at src/conv.rs:12: no such channel`, and is not printed.
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    listen();
    CAUGHT.set(Some("panicked".into()));
    let result = catch_unwind(AssertUnwindSafe(work));
    let words = CAUGHT.take().unwrap_or_default();
    result.map_err(|payload| match said(&*payload) {
        // A panic that came over from another thread has passed no hook of this one.
        Some(said) if words == "panicked" => format!("panicked: {said}"),
        _ => words,
    })
}

/// Once: keeps the hook from printing panics that are caught here, and takes down their words instead.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            let is_ours =
                CAUGHT.with_borrow_mut(|caught| caught.as_mut().map(|words| *words = told(panic)).is_some());
            if !is_ours {
                others(panic);
            }
        }));
    });
}

fn told(panic: &PanicHookInfo) -> String {
    let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    format!("panicked{place}: {}", said(panic.payload()).unwrap_or("without a word"))
}

fn said(payload: &(dyn std::any::Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_has_words_and_a_place() {
        let words = catch(|| panic!("no {}", "more")).unwrap_err();
        assert!(words.starts_with("panicked at src/panics.rs:") && words.ends_with(": no more"), "{words}");
        assert_eq!(catch(|| 7), Ok(7));
        let carried = catch(|| std::panic::resume_unwind(Box::new("from afar"))).unwrap_err();
        assert_eq!(carried, "panicked: from afar");
        assert_eq!(
            catch(|| std::panic::panic_any(3)).unwrap_err().split(": ").last(),
            Some("without a word")
        );
    }
}
