//! Who removes: one or many at once, followed, stopped, and called back.

use super::*;

#[test]
fn progress_tells_each_stage_from_start_to_end() {
    let seen = RefCell::new(Vec::<Progress>::new());
    let options = as_png(|o| (o.w, o.angle, o.bg_color) = (Some(40), 10.0, Some(Color::WHITE)));
    let job = REMOVER.job(ball_png()).options(&options);
    let output = job.progress(&|p| seen.borrow_mut().push(p)).run().expect("a ball is cut out");
    let mut stages: Vec<Stage> = seen.borrow().iter().map(|p| p.stage).collect();
    assert!(stages.is_sorted(), "{stages:?}");
    stages.dedup();
    let expected: Vec<Stage> = Stage::ALL.into_iter().filter(|&s| s != Stage::Upright).collect();
    assert_eq!(stages, expected, "the picture was upright, everything else had to run");
    assert_eq!(output.times.iter().map(|(stage, _)| *stage).collect::<Vec<_>>(), expected);
    for stage in expected {
        let fractions: Vec<f32> = seen.borrow().iter().filter(|p| p.stage == stage).map(|p| p.fraction).collect();
        assert!(fractions.is_sorted(), "{stage}: {fractions:?}");
        assert_eq!((fractions.first(), fractions.last()), (Some(&0.0), Some(&1.0)), "{stage}");
    }
}

#[test]
fn a_cancellation_ends_the_job_in_whatever_stage() {
    let options = as_png(|o| (o.w, o.angle, o.bg_color) = (Some(40), 10.0, Some(Color::WHITE)));
    for stage in Stage::ALL.into_iter().filter(|&s| s != Stage::Upright) {
        let token = CancelToken::new();
        let cancel = |p: Progress| {
            if p.stage == stage {
                token.cancel()
            }
        };
        let job = REMOVER.job(ball_png()).options(&options).progress(&cancel).cancel(&token);
        assert_eq!(job.run().expect_err("it was cancelled").code(), Code::Cancelled, "{stage}");
    }
    assert!(REMOVER.remove(ball_png(), &options).is_ok(), "the remover still works");
}

#[test]
fn many_threads_share_one_remover_and_no_more_than_agreed_hold_a_picture() {
    let mut config = config();
    (config.in_flight, config.threads) = (2, 1);
    let remover = Remover::new(config).expect("the engine inside always works");
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let expected = remover.remove(ball_png(), &as_png(|_| ())).expect("a ball is cut out").data;
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let watch = |p: Progress| match (p.stage, p.fraction) {
                    (Stage::Decode, 0.0) => {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    }
                    (Stage::Encode, 1.0) => {
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                    _ => {}
                };
                let output = remover.job(ball_png()).options(&as_png(|_| ())).progress(&watch).run();
                assert!(output.expect("a ball is cut out").data == expected);
            });
        }
    });
    assert!((1..=2).contains(&most.into_inner()));
}

#[test]
fn the_remover_says_how_many_removals_it_lets_in() {
    for (in_flight, threads, resolved) in [(5, 1, 5), (1, 2, 1), (0, 1, 2), (0, 2, 3)] {
        let mut config = config();
        (config.in_flight, config.threads) = (in_flight, threads);
        let remover = Remover::new(config).expect("the engine inside always works");
        assert_eq!(remover.in_flight(), resolved, "{in_flight} asked for, {threads} threads");
    }
}

#[test]
fn a_waiting_caller_hears_a_cancellation() {
    let mut config = config();
    config.in_flight = 1;
    let remover = Remover::new(config).expect("the engine inside always works");
    let (token, started, over) = (CancelToken::new(), Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let waited = std::cell::Cell::new(false);
            let hold = |_: Progress| {
                if !waited.replace(true) {
                    started.wait();
                    over.wait();
                }
            };
            assert!(remover.job(ball_png()).progress(&hold).run().is_ok());
        });
        started.wait();
        scope.spawn(|| token.cancel());
        let outcome = remover.job(ball_png()).cancel(&token).run();
        // The place was taken all the while: it was in waiting that the cancellation was heard.
        over.wait();
        let error = outcome.expect_err("it was cancelled while it waited");
        assert_eq!(error.code(), Code::Cancelled);
    });
}

#[test]
fn a_callback_may_call_back_in() {
    let mut config = config();
    config.in_flight = 1;
    let remover = Remover::new(config).expect("the engine inside always works");
    let inner = RefCell::new(None);
    let call = |p: Progress| {
        if p.stage == Stage::Segment && inner.borrow().is_none() {
            *inner.borrow_mut() = Some(remover.remove(ball_png(), &Options::default()).map(|o| o.width));
        }
    };
    assert!(remover.job(ball_png()).progress(&call).run().is_ok());
    assert_eq!(inner.into_inner().and_then(Result::ok), Some(WIDTH));
}

#[test]
fn callbacks_run_on_the_callers_thread_and_their_panic_ends_the_removal_alone() {
    let mut config = config();
    config.in_flight = 1;
    let remover = Remover::new(config).expect("the engine inside always works");
    let (caller, heard) = (thread::current().id(), RefCell::new(Vec::new()));
    let panics = |p: Progress| {
        assert_eq!(thread::current().id(), caller);
        heard.borrow_mut().push(p.stage);
        assert_ne!(p.stage, Stage::Refine, "on purpose");
    };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| remover.job(ball_png()).progress(&panics).run()));
    let panic = outcome.expect_err("it is passed on");
    assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("on purpose")));
    assert_eq!(heard.borrow().iter().filter(|stage| **stage == Stage::Refine).count(), 1, "nothing follows it");
    assert!(remover.remove(ball_png(), &Options::default()).is_ok(), "the place and the thread are free again");
}

#[test]
fn the_remover_says_what_it_runs_on_and_crosses_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    crosses(&*BUNDLED);
    assert_eq!(BUNDLED.model(), "u2netp");
    assert_eq!(BUNDLED.engine().name, "native");
    assert!(!BUNDLED.engine().version.is_empty());
}
