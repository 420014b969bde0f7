#!/bin/sh
# Makes the namespace of the releases, with the search attributes that they are found by. Safe to run again, and after
# an upgrade of Baton: what is there is left alone, what is missing is added. Where the server is, and with which
# credentials, by Temporal's own environment configuration: TEMPORAL_ADDRESS, profiles, mTLS, API keys.
set -eu

namespace=${TEMPORAL_NAMESPACE:-default}
# A finished release keeps its workflow id, and so can't be started again by mistake, as long as its history is kept.
retention=${RETENTION:-400d}

if temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1; then
    echo "namespace $namespace is there"
else
    temporal operator namespace create --namespace "$namespace" --retention "$retention"
fi

# A new namespace takes the server's parts some seconds to learn of.
tries=30
until problem=$(temporal operator search-attribute list --namespace "$namespace" 2>&1 >/dev/null); do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || {
        echo "$problem" >&2
        exit 1
    }
    sleep 1
done

# One call for each: given several names, the CLI (1.9.1) adds the first and says that it added all.
attribute() {
    temporal operator search-attribute create --namespace "$namespace" --name "$1" --type "$2"
}

# The same as workflows/visibility.py has them; tests/deploy compares.
attribute BatonProject Keyword
attribute BatonStream Keyword
attribute BatonVersion Keyword
attribute BatonKind Keyword
attribute BatonPhase Keyword
attribute BatonWaitingOn KeywordList
attribute BatonWaitingFor KeywordList
