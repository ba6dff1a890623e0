package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"invigilator.example/cards"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/spelling"
)

// cardCommand says what to register in a product, in its own words.
type cardCommand struct {
	Product string            `arg:"" optional:"" help:"The product: ${products}."`
	Config  string            `help:"Configuration file (YAML). Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	Set     map[string]string `help:"Set any key of the configuration, as in --set fake_tool.url=https://tool.example." placeholder:"KEY=VALUE" mapsep:"none"`
}

// products are the names of all cards.
func products() []string {
	var names []string
	for _, p := range cards.Platforms() {
		names = append(names, p.Name)
	}
	for _, l := range cards.Libraries() {
		names = append(names, l.Name)
	}
	return names
}

// Run prints the card.
func (k *cardCommand) Run(command *kong.Context) error {
	if k.Product == "" {
		for _, p := range cards.Platforms() {
			say("%-12s  %s, a platform to judge\n", p.Name, p.Title)
		}
		for _, l := range cards.Libraries() {
			say("%-12s  %s, for a tool to judge\n", l.Name, l.Title)
		}
		return nil
	}
	for _, p := range cards.Platforms() {
		if p.Name == k.Product {
			c, err := k.load(command, config.PlatformSide)
			if err != nil {
				return err
			}
			return k.ofPlatform(c, p)
		}
	}
	for _, l := range cards.Libraries() {
		if l.Name == k.Product {
			c, err := k.load(command, config.ToolSide)
			if err != nil {
				return err
			}
			text, err := l.Write(valuesOf(c))
			if err == nil {
				say("%s", c.Hiding().Hide(text))
			}
			return err
		}
	}
	return fmt.Errorf("there is no card %q; %s", k.Product, spelling.Choice(k.Product, products()))
}

func (k *cardCommand) load(command *kong.Context, side config.Side) (config.Config, error) {
	return loadLacking(config.Sources{Side: side, File: expanded(k.Config), Folder: ".", Settings: settings(command)})
}

// loadLacking reads a configuration that may lack something.
func loadLacking(from config.Sources) (config.Config, error) {
	from.Environ = os.Environ()
	if c, err := config.Load(from); err == nil || config.OnlyLacks(err) {
		return c, nil
	}
	return load(from) // which says what is wrong
}

func (k *cardCommand) ofPlatform(c config.Config, p cards.Platform) error {
	text, err := p.Write(valuesOf(c))
	if err != nil {
		return err
	}
	say("%s", c.Hiding().Hide(text))
	if c.Platform.Issuer != "" {
		endpoints, err := p.Of(c.Platform.Issuer)
		if err != nil {
			return err
		}
		for _, key := range []string{"auth_url", "jwks_url", "token_url"} {
			if endpoints[key] != "" {
				say("  platform.%s is usually %s\n", key, endpoints[key])
			}
		}
	}
	key, err := harness.ToolKey(c.FakeTool.KeyFile)
	if err != nil {
		return err
	}
	pem, public, err := publicKey(key)
	if err != nil {
		return err
	}
	say("\nThe public key of the fake tool, where no URL of a key set will do:\n%s%s\n", pem, public)
	return nil
}

// valuesOf are those of a configuration.
func valuesOf(c config.Config) cards.Values {
	tool, platform := harness.ToolRegistrations(c, c.Registration)[0], harness.FirstRegistration(c)
	v := cards.Values{
		LoginURL: tool.LoginURL, TargetLinkURI: tool.TargetLinkURI, JWKSURL: tool.JWKSURL, RedirectURIs: tool.RedirectURIs, Origin: c.FakeTool.URL,
		Issuer: c.FakePlatform.URL, AuthURL: platform.AuthURL, TokenURL: platform.TokenURL, PlatformJWKSURL: platform.JWKSURL,
		ClientID: c.Registration.ClientID, DeploymentID: strings.Join(platform.DeploymentIDs, ", "),
	}
	if u, err := url.Parse(c.FakeTool.URL); err == nil {
		v.Host = u.Hostname()
	}
	return v
}
