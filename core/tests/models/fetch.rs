//! Fetching weights: from the first byte, from where a download broke off, and
//! several at once.

use std::cell::RefCell;
use std::fs;
use std::thread;

use remrembg::models::{Commercial, FetchEvent, FetchOptions, ModelSpec};
use remrembg::{CancelToken, Code};

use crate::server::Reply::{CutAfter, File, NoRange, Redirect, StallAfter, Status};
use crate::site::{Site, range};
use crate::{spec, weights};

#[test]
fn a_whole_model_arrives_under_its_name() {
    let site = Site::new(&[File]);
    assert_eq!(site.fetch().unwrap(), site.model());
    site.assert_whole();
    assert_eq!(site.server.asked()[0].path, "/m/made-v1.onnx");
    assert_eq!(site.store().locate_spec(&spec()).unwrap(), site.model());
}

#[test]
fn a_model_that_is_there_is_not_fetched_again_but_a_damaged_one_is() {
    let site = Site::new(&[File]);
    fs::write(site.model(), weights()).unwrap();
    site.fetch().unwrap();
    assert_eq!(site.server.asked().len(), 0);
    let mut damaged = weights();
    damaged[5] ^= 1;
    for damaged in [damaged, b"half".to_vec()] {
        fs::write(site.model(), damaged).unwrap();
        site.fetch().unwrap();
        site.assert_whole();
    }
    assert_eq!(site.server.asked().len(), 2);
}

#[test]
fn weights_in_another_folder_are_used_and_that_folder_stays_as_it_is() {
    let site = Site::new(&[File]);
    let offline = tempfile::tempdir().unwrap();
    let place = offline.path().join("made.onnx");
    let store = site.store().with_offline(offline.path());
    fs::write(&place, weights()).unwrap();
    assert_eq!(store.fetch(&spec(), &site.options()).unwrap(), place);
    assert_eq!(site.server.asked().len(), 0);
    let damaged = vec![0; weights().len()];
    fs::write(&place, &damaged).unwrap();
    let error = store.fetch(&spec(), &site.options()).unwrap_err();
    assert!(error.code() == Code::ModelDamaged && error.message().contains("Remove it"), "{error}");
    assert!(fs::read(&place).unwrap() == damaged && fs::read_dir(offline.path()).unwrap().count() == 1);
}

#[test]
fn an_interrupted_download_goes_on_where_it_ended_at_the_next_call() {
    let site = Site::new(&[CutAfter(300_000), File]);
    let error = site.fetch().unwrap_err();
    assert_eq!(error.code(), Code::ModelFetchFailed);
    assert!(error.message().contains("ended after 300000 of 1000000 bytes"), "{error}");
    site.assert_absent(300_000);
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None, range(300_000)]);
    assert_eq!(site.server.asked()[1].if_range.as_deref(), Some("\"v1\""), "only of the same state of the file");
}

#[test]
fn an_interrupted_download_is_tried_again_within_one_call() {
    let site = Site::new(&[CutAfter(1_000), CutAfter(200_000), Status(503), File]);
    site.fetch_trying(3).unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None, range(1_000), range(201_000), range(201_000)]);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let site = Site::new(&[CutAfter(300_000), NoRange]);
    site.fetch_trying(2).unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None, range(300_000)]);
}

#[test]
fn a_file_that_changed_on_the_server_starts_over() {
    let site = Site::new(&[File]);
    fs::write(site.part(), b"bytes of something else").unwrap();
    fs::write(site.part().with_added_extension("etag"), "\"v0\"").unwrap();
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.asked()[0].if_range.as_deref(), Some("\"v0\""));
}

#[test]
fn a_refused_range_and_an_overlong_part_start_over() {
    let site = Site::new(&[Status(416), File]);
    fs::write(site.part(), &weights()[..9]).unwrap();
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [range(9), None]);
    let site = Site::new(&[File]);
    fs::write(site.part(), vec![0; 1_000_001]).unwrap();
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None]);
}

#[test]
fn a_redirect_keeps_the_range() {
    let site = Site::new(&[Redirect, File]);
    fs::write(site.part(), &weights()[..500]).unwrap();
    site.fetch().unwrap();
    site.assert_whole();
    let asked = site.server.asked();
    assert_eq!((asked[1].path.as_str(), &asked[1].range), ("/elsewhere", &range(500)));
}

#[test]
fn a_stop_keeps_what_was_fetched() {
    let site = Site::new(&[File]);
    let token = CancelToken::new();
    let on_event = |event: FetchEvent| match event {
        FetchEvent::Progress { bytes, .. } if bytes >= 100_000 => token.cancel(),
        _ => {}
    };
    let options = FetchOptions { cancel: Some(&token), on_event: Some(&on_event), ..site.options() };
    assert_eq!(site.store().fetch(&spec(), &options).unwrap_err().code(), Code::Cancelled);
    let kept = fs::metadata(site.part()).unwrap().len() as usize;
    assert!((100_000..1_000_000).contains(&kept), "{kept}");
    site.assert_absent(kept);
    site.fetch().unwrap();
    site.assert_whole();
    assert_eq!(site.server.ranges(), [None, range(kept)]);
}

#[test]
fn events_begin_with_the_licence_and_bytes_only_grow() {
    let site = Site::new(&[CutAfter(300_000), File]);
    let events = RefCell::new(Vec::new());
    let on_event = |event: FetchEvent| {
        events.borrow_mut().push(match event {
            FetchEvent::Notice(text) => {
                assert_eq!(site.server.asked().len(), 0, "said before the download");
                assert!(text.contains("forbids commercial use"));
                "notice".to_owned()
            }
            FetchEvent::Progress { bytes, total: 1_000_000 } => format!("{bytes:07}"),
            FetchEvent::Retrying { error } => {
                assert!(error.message().contains("300000"));
                "retrying".to_owned()
            }
            FetchEvent::Verifying => "verifying".to_owned(),
            other => panic!("{other:?}"),
        });
    };
    let options = FetchOptions { on_event: Some(&on_event), attempts: 2, ..site.options() };
    let spec = ModelSpec { commercial: Commercial::Forbidden, ..spec() };
    site.store().fetch(&spec, &options).unwrap();
    let events = events.into_inner();
    assert_eq!((events[0].as_str(), events[1].as_str()), ("notice", "0000000"));
    assert_eq!(events[events.len() - 2..], ["1000000", "verifying"]);
    assert_eq!(events.iter().filter(|event| *event == "retrying").count(), 1);
    let bytes: Vec<_> = events.iter().filter(|event| event.parse::<u64>().is_ok()).collect();
    assert!(bytes.is_sorted() && bytes.iter().any(|bytes| *bytes == "0300000"), "{bytes:?}");
}

#[test]
fn two_at_once_fetch_one_model_once() {
    let site = Site::new(&[File]);
    let fetch = || site.fetch().unwrap();
    thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(fetch));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), site.model());
        }
    });
    site.assert_whole();
    assert_eq!(site.server.asked().len(), 1, "the others waited for the first");
}

#[test]
fn whoever_waits_says_so_and_can_be_stopped() {
    let site = Site::new(&[StallAfter(100)]);
    let token = CancelToken::new();
    let on_event = |event: FetchEvent| {
        if matches!(event, FetchEvent::Waiting) {
            token.cancel();
        }
    };
    let held = site.server.stall.lock().unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| site.fetch().unwrap_err());
        while site.server.asked().is_empty() {
            thread::yield_now();
        }
        let waiting = FetchOptions { cancel: Some(&token), on_event: Some(&on_event), ..site.options() };
        assert_eq!(site.store().fetch(&spec(), &waiting).unwrap_err().code(), Code::Cancelled);
        assert!(!first.is_finished(), "before the first one gave up");
        drop(held);
        assert_eq!(first.join().unwrap().code(), Code::ModelFetchFailed);
    });
    site.assert_absent(100);
}
