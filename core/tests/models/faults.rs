//! Fetching weights when something is wrong: one clear error, and never a
//! partial model under the final name.

use std::fs;
use std::time::{Duration, Instant};

use remrembg::models::{FetchOptions, Store};
use remrembg::{CancelToken, Code};

use crate::server::Reply::{CutAfter, File, Page, Rest, Silent, StallAfter, Status, TooLong, Wrong};
use crate::site::{Site, range};
use crate::spec;

#[test]
fn a_truncated_file_is_an_error_and_its_bytes_are_kept() {
    let site = Site::new(&[CutAfter(999_999), Status(404)]);
    assert_eq!(site.fetch().unwrap_err().code(), Code::ModelFetchFailed);
    site.assert_absent(999_999);
    assert_eq!(site.fetch().unwrap_err().code(), Code::ModelFetchFailed);
    site.assert_absent(999_999);
}

#[test]
fn a_wrong_checksum_is_said_and_the_bytes_are_deleted() {
    let site = Site::new(&[Wrong, File]);
    let error = site.fetch_trying(5).unwrap_err();
    assert_eq!(error.code(), Code::ModelDamaged);
    assert!(error.message().contains("/m/made-v1.onnx") && error.message().contains(spec().sha256), "{error}");
    site.assert_absent(0);
    assert_eq!(site.server.asked().len(), 1, "asking again would bring the same bytes");
    site.fetch().unwrap();
    site.assert_whole();
}

#[test]
fn a_status_is_one_clear_error_and_is_tried_again_only_where_that_may_help() {
    for (status, requests) in [(404, 1), (403, 1), (500, 3), (429, 3)] {
        let site = Site::new(&[Status(status)]);
        let error = site.fetch_trying(3).unwrap_err();
        assert_eq!(error.code(), Code::ModelFetchFailed);
        let url = format!("{}/made-v1.onnx", site.server.base);
        assert!(error.message().contains(&url) && error.message().contains(&status.to_string()), "{error}");
        assert_eq!(site.server.asked().len(), requests);
        site.assert_absent(0);
    }
    let site = Site::new(&[Status(500), File]);
    site.fetch_trying(2).unwrap();
    site.assert_whole();
}

#[test]
fn a_page_instead_of_the_model_is_not_taken_for_it() {
    let site = Site::new(&[Status(200)]);
    let error = site.fetch_trying(3).unwrap_err();
    assert!(error.message().contains("it has 5 bytes, the model has 1000000"), "{error}");
    assert_eq!(site.server.asked().len(), 1);
    site.assert_absent(0);
}

#[test]
fn a_page_whose_length_is_not_told_is_not_gone_on_from() {
    let site = Site::new(&[Page, File]);
    let error = site.fetch_trying(3).unwrap_err();
    assert!(error.message().contains("it has 6 bytes, the model has 1000000: it is another file"), "{error}");
    site.assert_absent(0);
    site.fetch().unwrap();
    assert_eq!(site.server.ranges(), [None, None]);
}

#[test]
fn bytes_of_something_else_are_not_blamed_on_who_gives_the_rest() {
    let site = Site::new(&[File]);
    fs::write(site.part(), b"log in").unwrap();
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [range(6), None]);
    // Once.
    let site = Site::new(&[CutAfter(300_000), Rest, Wrong]);
    assert_eq!(site.fetch_trying(2).unwrap_err().code(), Code::ModelDamaged);
    site.assert_absent(0);
    assert_eq!(site.server.ranges(), [None, range(300_000), None]);
}

#[test]
fn a_stop_is_heard_while_a_server_is_silent() {
    for (reply, from) in [(StallAfter(300_000), 300_000), (Silent, 0)] {
        let site = Site::new(&[reply]);
        let held = site.server.stall.lock().unwrap();
        let (token, start) = (CancelToken::new(), Instant::now());
        let options = FetchOptions { cancel: Some(&token), ..site.options() };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Until the server has said what it says.
                while site.server.asked().is_empty() || fs::metadata(site.part()).map_or(0, |part| part.len()) < from {
                    std::thread::sleep(Duration::from_millis(5));
                }
                token.cancel();
            });
            assert_eq!(site.store().fetch(&spec(), &options).unwrap_err().code(), Code::Cancelled);
        });
        assert!(start.elapsed() < options.read_timeout / 2, "{:?}", start.elapsed());
        drop(held);
        site.assert_absent(from as usize);
    }
}

/// Nobody listens where the proxy should be, so nobody is asked.
#[test]
fn a_socks_proxy_is_not_gone_past() {
    const PROXY: &str = "ALL_PROXY";
    if std::env::var_os(PROXY).is_none() {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        alone.args(["--exact", "faults::a_socks_proxy_is_not_gone_past"]).env(PROXY, "socks5://127.0.0.1:1");
        alone.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("all_proxy");
        let output = alone.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let site = Site::new(&[File]);
    // An address of this machine that is not known to be one.
    let mirror = Some(site.server.base.replace("127.0.0.1", "0.0.0.0"));
    let error = site.store().fetch(&spec(), &FetchOptions { mirror, ..site.options() }).unwrap_err();
    assert_eq!(error.code(), Code::ModelFetchFailed);
    assert_eq!(site.server.asked().len(), 0);
}

#[test]
fn a_stalled_connection_ends_and_is_gone_on_from() {
    let site = Site::new(&[StallAfter(300_000), File]);
    let held = site.server.stall.lock().unwrap();
    let options = FetchOptions { read_timeout: Duration::from_millis(400), ..site.options() };
    let error = site.store().fetch(&spec(), &options).unwrap_err();
    drop(held);
    assert!(error.code() == Code::ModelFetchFailed && error.message().contains("no byte came for 400ms"), "{error}");
    site.assert_absent(300_000);
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None, range(300_000)]);
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_its_address() {
    let site = Site::new(&[File]);
    let mirror = Some("http://127.0.0.1:1/m".to_owned());
    let error = site.store().fetch(&spec(), &FetchOptions { mirror, ..site.options() }).unwrap_err();
    assert!(error.code() == Code::ModelFetchFailed && error.message().contains("http://127.0.0.1:1/m"), "{error}");
    site.assert_absent(0);
}

#[test]
fn a_mirror_is_an_address() {
    let site = Site::new(&[File]);
    let mirror = Some("/srv/models".to_owned());
    let error = site.store().fetch(&spec(), &FetchOptions { mirror, ..site.options() }).unwrap_err();
    assert!(error.code() == Code::ModelFetchFailed && error.message().contains("REMREMBG_OFFLINE_MODELS"), "{error}");
    let folder = site.dir.path().as_os_str().to_owned();
    let base = site.server.base.clone();
    let store = Store::from_vars(|key| match key {
        "REMREMBG_MODELS" => Some(folder.clone()),
        "REMREMBG_MODEL_MIRROR" => Some(base.clone().into()),
        _ => None,
    });
    store.fetch(&spec(), &FetchOptions { mirror: None, ..site.options() }).unwrap();
    site.assert_whole();
}

/// `/dev/full` is a device on which every write meets a full disk.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_clear_error_and_leaves_no_model() {
    let site = Site::new(&[File]);
    std::os::unix::fs::symlink("/dev/full", site.part()).unwrap();
    let error = site.fetch_trying(3).unwrap_err();
    assert_eq!(error.code(), Code::CannotWrite);
    assert!(error.message().contains("made.onnx.part") && error.message().contains("the disk is full"), "{error}");
    assert!(!site.model().exists());
    assert_eq!(site.server.asked().len(), 1, "asking again would not help");
    assert!(!site.part().exists(), "nothing was fetched, nothing is kept");
}

#[test]
fn a_folder_that_cannot_be_made_is_a_clear_error() {
    let site = Site::new(&[File]);
    let file = site.dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Store::new(file.join("models")).fetch(&spec(), &site.options()).unwrap_err();
    assert!(error.code() == Code::CannotWrite && error.message().contains("file"), "{error}");
    assert_eq!(site.server.asked().len(), 0);
}

#[test]
fn a_file_longer_than_the_model_is_not_read_on() {
    let site = Site::new(&[TooLong]);
    let error = site.fetch_trying(3).unwrap_err();
    assert!(error.code() == Code::ModelFetchFailed && error.message().contains("longer than the model"), "{error}");
    assert_eq!(site.server.asked().len(), 1);
    site.assert_absent(0);
}
