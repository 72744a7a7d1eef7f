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

/// rembg's own folder, which holds `models/NAME/NAME.onnx`: `U2NET_HOME`, else `REMBG_HOME`, else
/// `$XDG_DATA_HOME/rembg`, else `~/.rembg`.
pub(super) fn rembg(os: &str, lookup: Lookup) -> Option<PathBuf> {
    let named = path(lookup, "U2NET_HOME").or_else(|| path(lookup, "REMBG_HOME"));
    let data = path(lookup, "XDG_DATA_HOME").map(|data| data.join("rembg"));
    let given = named.or(data).or_else(|| Some(home(os, lookup)?.join(".rembg")));
    expanded(given?, os, lookup)
}

/// Where rembg kept all models side by side before: `U2NET_HOME`, else `$XDG_DATA_HOME/.u2net`, else `~/.u2net`.
pub(super) fn early_rembg(os: &str, lookup: Lookup) -> Option<PathBuf> {
    let data = path(lookup, "XDG_DATA_HOME").or_else(|| home(os, lookup)).map(|data| data.join(".u2net"));
    expanded(path(lookup, "U2NET_HOME").or(data)?, os, lookup)
}

/// `~` is the home folder.
fn expanded(folder: PathBuf, os: &str, lookup: Lookup) -> Option<PathBuf> {
    match folder.strip_prefix("~") {
        Ok(rest) => Some(home(os, lookup)?.join(rest)),
        Err(_) => Some(folder),
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

    use super::{early_rembg, fetched, offline, rembg};

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
    fn the_folders_of_rembg_are_where_rembg_has_them() {
        let home = ("HOME", "/home/ann");
        let both = |more: &[(&str, &str)]| {
            let pairs: Vec<_> = more.iter().copied().chain([home]).collect();
            [rembg("linux", &vars(&pairs)), early_rembg("linux", &vars(&pairs))]
        };
        let are = |got: [Option<PathBuf>; 2], want: [&str; 2]| assert_eq!(got, want.map(|path| Some(path.into())));
        are(both(&[]), ["/home/ann/.rembg", "/home/ann/.u2net"]);
        are(both(&[("XDG_DATA_HOME", "/d")]), ["/d/rembg", "/d/.u2net"]);
        are(both(&[("REMBG_HOME", "~/r"), ("XDG_DATA_HOME", "/d")]), ["/home/ann/r", "/d/.u2net"]);
        are(both(&[("U2NET_HOME", "/u"), ("REMBG_HOME", "/r")]), ["/u", "/u"]);
        are(both(&[("U2NET_HOME", "~/u")]), ["/home/ann/u", "/home/ann/u"]);
        assert_eq!([rembg("linux", &vars(&[])), early_rembg("linux", &vars(&[]))], [None, None]);
    }
}
