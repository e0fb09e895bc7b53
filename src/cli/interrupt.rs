//! Ctrl-C: the first asks the study to stop cleanly, the second ends the process at once (nothing finished is lost).

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::tell;

static STOP: AtomicBool = AtomicBool::new(false);
static ONCE: Once = Once::new();

/// A flag that becomes true at the first Ctrl-C or termination signal.
pub fn on_ctrl_c() -> &'static AtomicBool {
    ONCE.call_once(|| {
        let heard = ctrlc::set_handler(|| {
            if STOP.swap(true, Relaxed) {
                std::process::exit(130);
            }
            tell("\nstopping after what is running now; Ctrl-C again stops at once, and loses no finished trial\n");
        });
        if let Err(problem) = heard {
            tell(&format!("warning: Ctrl-C will stop at once: {problem}\n"));
        }
    });
    &STOP
}
