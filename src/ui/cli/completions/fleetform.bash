# Completion of fleetform for bash, from 4.4 on.
_fleetform() {
    local words candidates
    # Up to the cursor; the program found on the PATH answers, never the one that is being typed.
    words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
    COMPREPLY=()
    if ! candidates=$(command fleetform __complete bash -- "${words[@]}" 2>/dev/null); then
        compopt -o default
        return
    fi
    [[ -z $candidates ]] && return
    mapfile -t COMPREPLY <<<"$candidates"
    # Behind FIELD= goes a value.
    [[ ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
}
complete -o nosort -F _fleetform fleetform
