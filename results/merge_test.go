package results_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

// shardWith is one of two shards of a run that judges sec-tool-auth-request-nonce in the first and
// sec-tool-jwks in the second.
func shardWith(index int, diagnosis *results.Diagnosis, observed ...results.Observation) results.Document {
	ids := []requirements.ID{"sec-tool-auth-request-nonce", "sec-tool-jwks"}
	own, _ := requirements.Default().Get(ids[index-1])
	for i := range observed {
		observed[i].Scenario, observed[i].Flows = "one", []string{"01-0001"}
	}
	return results.Assemble(results.Run{
		Version: "1", Subject: results.Subject{Name: "x", Side: "tool"}, Started: time.Unix(int64(100*index), 0), Seconds: 5, Processes: 1,
		Shard: &results.Shard{Index: index, Of: 2, Elsewhere: []string{string(ids[2-index])}},
	}, diagnosis, []requirements.Requirement{own}, nil, []results.Fragment{{
		Observations: observed, Flows: map[string]results.Flow{"01-0001": {ID: "01-0001", Title: own.Section}},
		Findings: []results.Finding{{Kind: "strangers", Says: "1 request"}, {Kind: "script", Says: own.Section, Scenario: "one", Flow: "01-0001"}},
	}})
}

func seen(id string, verdict results.Verdict) results.Observation {
	return results.Observation{Requirement: id, Verdict: verdict, Seen: "so"}
}

func TestShardsAreMergedInAnyOrder(t *testing.T) {
	g := NewWithT(t)
	// On its way the first shard sees what the requirement of the second one does not allow.
	first := shardWith(1, nil, seen("sec-tool-auth-request-nonce", results.Passed), seen("sec-tool-jwks", results.Failed))
	second := shardWith(2, nil, seen("sec-tool-jwks", results.Passed), seen("sec-tool-auth-request-nonce", results.Passed))
	g.Expect(first.Outcome).To(Equal(results.NotConformant))
	g.Expect(first.Requirements).To(HaveLen(2))
	g.Expect(second.Outcome).To(Equal(results.Conformant))
	g.Expect(second.Because).To(HavePrefix("Shard 2 of 2: "))
	g.Expect(second.Requirements).To(HaveLen(1), "what passes elsewhere is told there")

	merged, err := results.Merge([]results.Document{second, first})
	g.Expect(err).NotTo(HaveOccurred())
	again, err := results.Merge([]results.Document{first, second})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(merged))
	g.Expect(merged.Run).To(And(HaveField("Merged", 2), HaveField("Shard", BeNil()), HaveField("Seconds", 10.0), HaveField("Processes", 2), HaveField("Started", time.Unix(100, 0))))
	g.Expect(merged.Requirements).To(HaveExactElements(
		HaveField("Verdict", results.Passed),
		And(HaveField("ID", "sec-tool-jwks"), HaveField("Verdict", results.Failed), HaveField("Observations", ContainElements(
			HaveField("Flows", []string{"s1-01-0001"}), HaveField("Flows", []string{"s2-01-0001"}),
		))),
	))
	g.Expect(merged.Flows).To(And(HaveLen(2), HaveKeyWithValue("s2-01-0001", HaveField("ID", "s2-01-0001"))))
	g.Expect(merged.Findings).To(HaveLen(3), "what both tell of the whole run is told once")
	g.Expect(first.Requirements[0].Observations[0].Flows).To(Equal([]string{"01-0001"}), "the documents stay as they are")
}

func TestWhatAShardCouldNotJudge(t *testing.T) {
	g := NewWithT(t)
	gone := &results.Diagnosis{Problem: "The tool cannot be reached.", LookAt: "Does it run?"}
	merged, err := results.Merge([]results.Document{shardWith(1, nil, seen("sec-tool-auth-request-nonce", results.Passed)), shardWith(2, gone)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(merged.Outcome).To(Equal(results.Unusable))
	g.Expect(merged.Diagnosis).To(And(HaveField("Problem", "Shard 2 of 2: The tool cannot be reached."), HaveField("LookAt", "Does it run?")))
	g.Expect(merged.Diagnosis.Partial()).To(BeTrue())
	merged, err = results.Merge([]results.Document{shardWith(1, gone), shardWith(2, gone)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(merged.Diagnosis.Partial()).To(BeFalse(), "nothing was judged")
	merged, err = results.Merge([]results.Document{shardWith(1, nil, seen("sec-tool-auth-request-nonce", results.Failed)), shardWith(2, gone)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(merged.Outcome).To(Equal(results.NotConformant), "what failed has failed")
	merged, err = results.Merge([]results.Document{shardWith(2, nil, seen("sec-tool-jwks", results.Passed))})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(merged.Outcome).To(Equal(results.Unusable))
	g.Expect(merged.Because).To(Equal("Shard 1 of 2 is missing."))
	g.Expect(merged.Requirements).To(HaveLen(2))
}

func TestWhatIsNoShardOfTheRun(t *testing.T) {
	one := func(change func(*results.Document)) []results.Document {
		first, second := shardWith(1, nil, seen("sec-tool-auth-request-nonce", results.Passed)), shardWith(2, nil, seen("sec-tool-jwks", results.Passed))
		change(&second)
		return []results.Document{first, second}
	}
	for says, docs := range map[string][]results.Document{
		"nothing to merge":                 nil,
		"document 2 is of no shard":        one(func(d *results.Document) { d.Run.Shard = nil }),
		"is there twice":                   one(func(d *results.Document) { d.Run.Shard.Index = 1 }),
		"another split (2, 3)":             one(func(d *results.Document) { d.Run.Shard.Of = 3 }),
		"document 2 is of no shard: run":   one(func(d *results.Document) { d.Run.Shard.Of = 1 << 40 }),
		"another version of Invigilator":   one(func(d *results.Document) { d.Run.Version = "2" }),
		"another subject (tool x, tool y)": one(func(d *results.Document) { d.Run.Subject.Name = "y" }),
		"another selection":                one(func(d *results.Document) { d.Run.Only = "(launch)" }),
		"judge other requirements":         one(func(d *results.Document) { d.Run.Shard.Elsewhere = nil }),
	} {
		_, err := results.Merge(docs)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}
