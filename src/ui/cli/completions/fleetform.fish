# Completion of fleetform for fish.
function __fleetform_complete
    # The program found on the PATH answers, never the one that is being typed.
    set -l word (commandline -ct)
    set -l answer (command fleetform __complete fish -- (commandline -opc) "$word" 2>/dev/null)
    or begin
        __fish_complete_path "$word"
        return
    end
    test (count $answer) -gt 0; and printf '%s\n' $answer
end
complete -c fleetform -f -k -a '(__fleetform_complete)'
