//! Sockets: connections that are bounded in number, time and the size of their heads.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use remrembg::Remover;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::caller::Peer;
use crate::linger::Lingering;
use crate::sending::{Deadline, Paced};
use crate::{App, Settings, routes};

const MOST_HEADERS: usize = 100;
const MOST_HEAD: usize = 32 << 10;
const BUFFER: usize = 64 << 10;
/// How soon a stop is heard, and how long after a failed accept the next is tried.
const LOOK: Duration = Duration::from_millis(50);
/// For the threads that remain once every connection is closed.
const LAST: Duration = Duration::from_secs(5);

/// Where the service can be reached.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Listening {
    /// Of the service itself.
    pub service: SocketAddr,
    /// Of the metrics.
    pub metrics: Option<SocketAddr>,
}

/// Serves until `stop` answers `true`, then finishes what was accepted. `ready` is told once
/// connections are taken.
///
/// # Errors
/// An address that cannot be listened on, or accounts that cannot be opened.
pub fn run(
    remover: Arc<Remover>,
    settings: Settings,
    stop: impl Fn() -> bool + Send + Sync,
    ready: impl FnOnce(Listening),
) -> io::Result<()> {
    let app = App::new(remover, settings).map_err(io::Error::other)?;
    // Those of removals that were given up may take a moment to end.
    let threads = 2 * app.jobs.remover().in_flight();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(threads).build()?;
    let served = runtime.block_on(serve(Arc::clone(&app), stop, ready));
    runtime.shutdown_timeout(LAST);
    if let Some(accounts) = &app.accounts {
        accounts.finish(LAST);
    }
    served
}

async fn serve(app: Arc<App>, stop: impl Fn() -> bool, ready: impl FnOnce(Listening)) -> io::Result<()> {
    let settings = &app.settings;
    let listener = bound(settings.listen).await?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(bound(address).await?),
        None => None,
    };
    let listening = Listening {
        service: listener.local_addr()?,
        metrics: metrics.as_ref().map(TcpListener::local_addr).transpose()?,
    };
    ready(listening);
    let metrics = metrics.map(|listener| {
        let (router, settings) = (routes::metrics(Arc::clone(&app)), settings.clone());
        tokio::spawn(async move { Door::new(router, &settings, 16).take(listener, std::future::pending()).await })
    });
    let mut door = Door::new(routes::router(Arc::clone(&app)), settings, settings.connections);
    door.counted = Some(Arc::clone(&app));
    let stopped = async {
        while !stop() {
            tokio::time::sleep(LOOK).await;
        }
    };
    door.take(listener, stopped).await;
    app.stopping.store(true, Ordering::Release);
    if tokio::time::timeout(settings.shutdown_timeout, door.graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that had not ended in time were cut off");
    }
    metrics.into_iter().for_each(|task| task.abort());
    Ok(())
}

async fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let told = |error: io::Error| io::Error::new(error.kind(), format!("Cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(told)
}

/// One address and what is behind it.
struct Door {
    router: Router,
    http: http1::Builder,
    graceful: GracefulShutdown,
    places: Arc<Semaphore>,
    send_timeout: Duration,
    answer_timeout: Duration,
    counted: Option<Arc<App>>,
}

impl Door {
    fn new(router: Router, settings: &Settings, connections: usize) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.header_timeout)
            .max_headers(MOST_HEADERS)
            .max_header_size(MOST_HEAD)
            .max_buf_size(BUFFER)
            // Otherwise a client that went away is noticed when its answer is ready.
            .half_close(false);
        let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(connections)));
        let Settings { send_timeout, answer_timeout, .. } = *settings;
        Self { router, http, graceful, places, send_timeout, answer_timeout, counted: None }
    }

    /// Takes connections until `stop`.
    async fn take(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                (place, stream, peer) = self.next(&listener) => self.hold(place, stream, peer),
            }
        }
    }

    async fn next(&self, listener: &TcpListener) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("it is never closed");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (place, stream, peer),
                Err(error) => {
                    // Out of files, most likely: connections that end give some back.
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    fn hold(&self, place: OwnedSemaphorePermit, stream: TcpStream, peer: SocketAddr) {
        // It saves waiting alone.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.send_timeout));
        let (deadline, time) = (Deadline::default(), self.answer_timeout);
        let told = deadline.clone();
        let service = self.router.clone();
        let service = service.map_request(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            request.map(Body::new)
        });
        let service = service.map_response(move |answer| told.answer(answer, time));
        let connection = self.http.serve_connection(
            TokioIo::new(Lingering::new(Paced::new(Box::pin(stream), deadline))),
            TowerToHyperService::new(service),
        );
        let connection = self.graceful.watch(connection);
        let open = self.counted.clone().map(Open::new);
        tokio::spawn(async move {
            let _held = (place, open);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
}

/// Counts a connection while it is open.
struct Open(Arc<App>);

impl Open {
    fn new(app: Arc<App>) -> Self {
        app.metrics.connections().inc();
        Self(app)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.connections().dec();
    }
}
