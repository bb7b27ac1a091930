#!/bin/bash
# science.sh BUILD - the rule and the laws on tables that somebody else wrote.
set -u
lathe=$(cd "$1" && pwd)/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
# refused WORD COMMAND...: exit status 1 or 2, nothing on stdout, one complaint that has the word.
refused() {
    local word=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    { [ $got -eq 1 ] || [ $got -eq 2 ]; } && [ ! -s out ] && [ "$(grep -c '^lathe' err)" -eq 1 ] && grep -qF -- "$word" err && return 0
    echo "# $*: exit status $got: $(head -c 300 err)"
    return 1
}

printf 'proposal\tseed\tchampion\tcandidate\n' >runs.tsv
i=0
for x in 1.000 1.004 0.997 1.002 0.999; do i=$((i + 1)) && printf 'base\t%d\t%s\t\n' $i $x; done >>runs.tsv
i=0
for x in 0.900 0.902 0.899 0.901; do i=$((i + 1)) && printf 'large\t%d\t\t%s\n' $i $x; done >>runs.tsv
printf 'nothing\t1\t\t0.904\nnothing\t2\t\tfailed\n' >>runs.tsv

"$lathe" verdict runs.tsv --svg forest.svg >out 2>err && grep -q '^large  *keep' out && grep -q '^nothing  *drop' out
result $? "a_large_gain_is_kept_and_a_null_dropped"
"$lathe" verdict - --json <runs.tsv | python3 -c '
import json, sys
v = {x["proposal"]: x for x in json.load(sys.stdin)["verdicts"]}
assert v["large"]["decision"] == "keep" and v["large"]["champion_runs"] == 5 and v["large"]["candidate_runs"] == 4
assert v["large"]["effect_low"] < v["large"]["effect"] < v["large"]["effect_high"] and v["large"]["low"] < 0.1 < v["large"]["high"]
assert v["nothing"]["decision"] == "drop" and v["nothing"]["champion_runs"] == 3'
result $? "json_has_decisions_effects_and_intervals"
python3 -c 'import xml.dom.minidom as m; assert len(m.parse("forest.svg").getElementsByTagName("circle")) == 4'
result $? "the_forest_plot_is_well_formed_and_shows_raw_and_shrunken"
grep -v '^base' runs.tsv >none.tsv
refused champion "$lathe" verdict none.tsv
result $? "runs_without_a_champion_are_refused"
refused candidate "$lathe" verdict <(printf 'proposal\tseed\tchampion\n')
result $? "a_missing_column_is_named"
sed '3s/1.004/wat/' runs.tsv >runs.bad
refused runs.bad:3 "$lathe" verdict runs.bad
result $? "a_cell_that_is_no_number_is_named_by_its_line"

printf 'commit\tval_bpb\tmemory_gb\tstatus\tdescription\na\t0.9979\t44\tkeep\tbaseline\nb\t0.9860\t44\tkeep\thalf the batch\nc\t0.9950\t44\tdiscard\tgelu\nd\t0.9857\t44\tkeep\tanother seed\ne\t0.000000\t0.0\tcrash\ttwice the width\n' >results.tsv
"$lathe" verdict --autoresearch results.tsv --sigma 0.0008 >out 2>err && grep -q 'gain .*half the batch' out && grep -q 'noise .*another seed' out && grep -q '^2 keeps' out
result $? "keeps_of_a_ratchet_are_told_from_noise"
refused --sigma "$lathe" verdict --autoresearch results.tsv
result $? "a_ratchet_without_its_noise_is_refused"

python3 -c '
import math
print("N\tD\tloss")
for i in range(6):
    for k in range(5):
        N, D = 1e7 * 2.5 ** i, 2e8 * 2.5 ** k
        print("%g\t%g\t%.6f" % (N, D, (1.7 + 400 / N ** .34 + 1800 / D ** .37) * (1 + .001 * math.sin(7 * i + 3 * k))))' >points.tsv
"$lathe" fit points.tsv --predict 1e10,2e11 --svg law.svg --json >law.json 2>err && python3 -c '
import json
f = json.load(open("law.json"))
truth = 1.7 + 400 / 1e10 ** .34 + 1800 / 2e11 ** .37
assert abs(f["a"] - .34) < .03 and abs(f["b"] - .37) < .03 and not f["hangs_on_lines"], f
p = f["predictions"][0]
assert p["profile"]["low"] <= truth <= p["profile"]["high"] and abs(p["mean"]["value"] / truth - 1) < .01, p
import xml.dom.minidom as m; m.parse("law.svg")'
result $? "a_law_is_fitted_with_its_intervals"
head -n 5 points.tsv >few.tsv
refused "6 or more points" "$lathe" fit few.tsv
result $? "too_few_points_are_refused"
echo "1..$count"
[ $failures -eq 0 ]
