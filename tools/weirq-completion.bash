# bash completion for weirq

_weirq() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="bench dead enqueue kill ls pause purge resume retry show stats top workers"
    # The command is the first of these that is not the value of an option.
    local command="" last="" word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -n $word && " $commands " == *" $word "* && $last != --queue ]]; then
            command=$word
            break
        fi
        last=$word
    done
    local words="--url --cluster --password-file --queue --json --help"
    case $previous in
        --password-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --format) words="json raw" ;;
        --lane) words="0 1 2 3" ;;
        --url) words="redis:// rediss:// unix:// redis+sentinel://" ;;
        --queue | --limit | --delay | --timeout | --unique | --interval | --count | --jobs | \
            --payload | --concurrency) words="" ;;
        *)
            case $command in
                "") words+=" --version $commands" ;;
                stats | retry) words+=" --all" ;;
                ls) words+=" --limit waiting running delayed dead" ;;
                dead) words+=" --limit" ;;
                enqueue) words+=" --format --lane --delay --timeout --unique" ;;
                purge) words+=" --yes waiting dead everything" ;;
                top) words+=" --interval --count" ;;
                bench) words+=" --jobs --payload --concurrency" ;;
            esac
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _weirq weirq
