package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/reports"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/signature"
)

// signing is what the commands that write a document have in common.
type signing struct {
	SignKey string `help:"Sign the results with this private key (a JWK or PEM): the signature is beside them, for 'invigilator verify'." placeholder:"FILE"`
}

// signer is the one that a flag names; nil where none is named. It is read before the run.
func (s *signing) signer() (*signature.Signer, error) {
	if s.SignKey == "" {
		return nil, nil
	}
	signer, err := signature.ReadSigner(expanded(s.SignKey))
	if err != nil {
		return nil, fmt.Errorf("%w (--sign-key)", err)
	}
	return signer, nil
}

// sign signs what was written, if it was, and there is a signer.
func sign(signer *signature.Signer, paths reports.Paths) (reports.Paths, error) {
	if signer == nil || paths.JSON == "" {
		return paths, nil
	}
	paths.Signature = filepath.Join(filepath.Dir(paths.JSON), reports.Signature)
	return paths, signer.Sign(filepath.Dir(paths.JSON))
}

type verifyCommand struct {
	Results string `arg:"" help:"A results.json." type:"existingfile"`
	Key     string `help:"The public key, or the set of keys (JWK, JWKS or PEM), of one of which the signature has to be." placeholder:"FILE"`
}

// Help has examples.
func (*verifyCommand) Help() string {
	return `Says whether a results document is what was written, who has signed it, and whether the reports in the same folder are made from it. It holds the document against its digest (results.json.sha256) and its signature (results.json.jws), and each report against the signature, or against what this version makes of the document. A run is signed with --sign-key.

Exit status: 0 all that is there belongs together, and the signature is of the key; 1 something does not, or there is no signature of the key; 3 that cannot be said.

` + examples(
		"Was anything changed since it was written?", "invigilator verify results.json",
		"Is it from those whose public key this is?", "invigilator verify results.json --key public.pem",
	)
}

// Run holds a document against what is beside it.
func (c *verifyCommand) Run() error {
	text, err := os.ReadFile(c.Results)
	if err != nil {
		return err
	}
	var keys jwk.Set
	if c.Key != "" {
		if keys, err = signature.ReadKeys(expanded(c.Key)); err != nil {
			return fmt.Errorf("%w (--key)", err)
		}
	}
	v := verification{dir: filepath.Dir(c.Results), name: filepath.Base(c.Results), text: text}
	say("%s: SHA-256 %s\n", v.name, reports.SHA256(text))
	v.digest()
	v.signature(keys)
	doc, err := results.Read(bytes.NewReader(text))
	if err != nil {
		say("  cannot be read: %v\n", err)
		v.unknown = true
		return v.end()
	}
	say("  %s (%s): %s, %s\n", folded(cmp.Or(doc.Run.Subject.Name, "no name")), folded(doc.Run.Subject.Side), folded(string(doc.Outcome)), doc.Run.Started.UTC().Format("2006-01-02 15:04:05 MST"))
	if err := v.reports(doc); err != nil {
		return err
	}
	return v.end()
}

// A verification is what is found of a document.
type verification struct {
	dir, name      string
	text           []byte
	signed         map[string]string // the digests of reports that a signature vouches for
	wrong, unknown bool
}

// fails tells of what does not fit.
func (v *verification) fails(format string, args ...any) {
	v.wrong = true
	say("  WRONG: "+format+"\n", args...)
}

// beside reads a file of the same folder; nothing where there is none.
func (v *verification) beside(name string) ([]byte, bool) {
	text, err := os.ReadFile(filepath.Join(v.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.fails("%s cannot be read", name)
	}
	return text, err == nil
}

// digest holds the document against the digest that was written with it.
func (v *verification) digest() {
	name := strings.Replace(reports.Digest, reports.Names[0], v.name, 1)
	line, there := v.beside(name)
	if !there {
		return
	}
	if digest, _, _ := strings.Cut(string(line), " "); digest != reports.SHA256(v.text) {
		v.fails("%s has another digest: the document was changed, or one of the two is of another run", name)
		return
	}
	say("  as %s says\n", name)
}

// signature says who has signed the document.
func (v *verification) signature(keys jwk.Set) {
	name := strings.Replace(reports.Signature, reports.Names[0], v.name, 1)
	text, there := v.beside(name)
	switch {
	case !there && keys != nil:
		v.fails("there is no %s beside it: it is not signed", name)
	case !there:
		say("  not signed\n")
	default:
		signed, err := signature.Verify(text, v.text, keys)
		if err != nil {
			v.fails("%s does not hold: %v", name, err)
			return
		}
		v.signed = signed.Reports
		if signed.Known {
			say("  signed by the key that you named, %s, %s\n", signed.Key, signed.Alg)
		} else {
			say("  signed by the key %s, %s, and not changed since. Whose key that is it does not say: name the one that you expect by --key\n", signed.Key, signed.Alg)
		}
	}
}

// reports holds the reports of the same folder against the document. What was not changed
// since it was signed belongs to it, and so does what this version makes of it.
func (v *verification) reports(doc results.Document) error {
	made, err := reports.Of(doc, v.text)
	if err != nil {
		return err
	}
	for _, name := range reports.Names[1:] {
		text, there := v.beside(name)
		if made[name] == nil || !there {
			continue
		}
		switch of := reports.DocumentOf(text); {
		case v.signed[name] == reports.SHA256(text):
			say("%s: belongs to it, and was not changed since it was signed\n", name)
		case bytes.Equal(text, made[name]):
			say("%s: belongs to it, and is what this version makes of it\n", name)
		case of != "" && of != reports.SHA256(v.text):
			v.fails("%s is of another document, with the SHA-256 %s", name, of)
		case v.signed[name] != "":
			v.fails("%s was changed since it was signed", name)
		case doc.Run.Version == scenarios.Version:
			v.fails("%s is not what this version makes of the document: it was changed, or is of another run", name)
		default:
			v.unknown = true
			say("%s: cannot be told: Invigilator %s has made the document, this is %s, and each may make another report of it. 'invigilator report' makes them anew\n", name, folded(doc.Run.Version), scenarios.Version)
		}
	}
	return nil
}

// end is the status.
func (v *verification) end() error {
	switch {
	case v.wrong:
		say("It does not belong together as it is.\n")
		return exit(results.NotConformant.ExitCode())
	case v.unknown:
		return unusable
	}
	say("All that is here belongs together.\n")
	return nil
}
