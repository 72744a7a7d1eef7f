//! Which folders hold weights on this machine.

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable of the environment, or of whatever stands in for it.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where fetched weights go: `REMREMBG_MODELS`, else the platform's cache.
pub(super) fn fetched(os: &str, lookup: Lookup) -> Option<PathBuf> {
    path(lookup, "REMREMBG_MODELS").or_else(|| Some(cache(os, lookup)?.join("remrembg").join("models")))
}

/// Weights that were put there by hand: `REMREMBG_OFFLINE_MODELS`.
pub(super) fn offline(lookup: Lookup) -> Option<PathBuf> {
    path(lookup, "REMREMBG_OFFLINE_MODELS")
}

/// rembg's own folder: `U2NET_HOME`, else `$XDG_DATA_HOME/.u2net`, else `~/.u2net`.
pub(super) fn rembg(os: &str, lookup: Lookup) -> Option<PathBuf> {
    let home = home(os, lookup);
    let given = path(lookup, "U2NET_HOME")
        .or_else(|| Some(path(lookup, "XDG_DATA_HOME").or_else(|| home.clone())?.join(".u2net")))?;
    match given.strip_prefix("~") {
        Ok(rest) => Some(home?.join(rest)),
        Err(_) => Some(given),
    }
}

fn cache(os: &str, lookup: Lookup) -> Option<PathBuf> {
    if os == "windows" {
        return path(lookup, "LOCALAPPDATA");
    }
    // The XDG specification has relative paths ignored.
    let xdg = path(lookup, "XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let own = if os == "macos" { "Library/Caches" } else { ".cache" };
    xdg.or_else(|| Some(home(os, lookup)?.join(own)))
}

fn home(os: &str, lookup: Lookup) -> Option<PathBuf> {
    path(lookup, if os == "windows" { "USERPROFILE" } else { "HOME" })
}

fn path(lookup: Lookup, key: &str) -> Option<PathBuf> {
    lookup(key).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use super::{fetched, offline, rembg};

    fn vars<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |key| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value.into())
    }

    fn fetched_with(os: &str, pairs: &[(&str, &str)]) -> Option<PathBuf> {
        fetched(os, &vars(pairs))
    }

    #[test]
    fn fetched_weights_go_where_the_platform_keeps_caches() {
        let home = ("HOME", "/home/ann");
        let is = |got: Option<PathBuf>, want: &str| assert_eq!(got.as_deref(), Some(Path::new(want)));
        is(fetched_with("linux", &[home]), "/home/ann/.cache/remrembg/models");
        is(fetched_with("linux", &[home, ("XDG_CACHE_HOME", "/var/c")]), "/var/c/remrembg/models");
        is(fetched_with("linux", &[home, ("XDG_CACHE_HOME", "c")]), "/home/ann/.cache/remrembg/models");
        is(fetched_with("macos", &[home]), "/home/ann/Library/Caches/remrembg/models");
        is(fetched_with("windows", &[("LOCALAPPDATA", "/L")]), "/L/remrembg/models");
        assert_eq!(fetched_with("linux", &[]), None, "no home, no cache");
    }

    #[test]
    fn a_folder_named_outright_wins_and_an_empty_name_is_none() {
        let home = ("HOME", "/home/ann");
        assert_eq!(fetched_with("linux", &[home, ("REMREMBG_MODELS", "/m")]), Some("/m".into()));
        assert_eq!(fetched_with("windows", &[("REMREMBG_MODELS", "/m")]), Some("/m".into()));
        assert_eq!(
            fetched_with("linux", &[home, ("REMREMBG_MODELS", "")]),
            Some("/home/ann/.cache/remrembg/models".into())
        );
        assert_eq!(offline(&vars(&[("REMREMBG_OFFLINE_MODELS", "/o")])), Some("/o".into()));
        assert_eq!(offline(&vars(&[home])), None);
    }

    #[test]
    fn the_folder_of_rembg_is_where_rembg_has_it() {
        let home = ("HOME", "/home/ann");
        assert_eq!(rembg("linux", &vars(&[home])), Some("/home/ann/.u2net".into()));
        assert_eq!(rembg("linux", &vars(&[home, ("XDG_DATA_HOME", "/d")])), Some("/d/.u2net".into()));
        assert_eq!(rembg("linux", &vars(&[home, ("U2NET_HOME", "/u")])), Some("/u".into()));
        assert_eq!(rembg("linux", &vars(&[home, ("U2NET_HOME", "~/u")])), Some("/home/ann/u".into()));
        assert_eq!(rembg("linux", &vars(&[])), None);
    }
}
