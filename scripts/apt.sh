# To be sourced: apt_install PACKAGE ... fails where apt, or the right to use it, is missing.

apt_install() {
    local root=
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        root="sudo -n"
    fi
    echo "installing $* with apt-get"
    { $root apt-get -qq update &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"; } >/dev/null
}
