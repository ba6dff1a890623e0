package guess

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

const (
	hexDigits = "0123456789abcdef"
	base32    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's, as in a ULID
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	decimals  = "0123456789"
)

// source is as random as what a careful tool uses, and the same in every run.
type source struct {
	*rand.ChaCha8
	*rand.Rand
	now time.Time
}

func newSource(name string) *source {
	var seed [32]byte
	copy(seed[:], name)
	c := rand.NewChaCha8(seed)
	return &source{c, rand.New(c), time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
}

func (s *source) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = s.Read(b)
	return b
}

func (s *source) characters(n int, of string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[s.IntN(len(of))]
	}
	return string(b)
}

// tick lets as much time pass as there is between two logins.
func (s *source) tick() time.Time {
	s.now = s.now.Add(time.Duration(1+s.IntN(200))*time.Millisecond + time.Duration(s.IntN(1e6)))
	return s.now
}

func uuid(b []byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// uuid7 is of RFC 9562, 5.7; a is its rand_a.
func (s *source) uuid7(at time.Time, a uint16) string {
	b := s.bytes(16)
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(at.UnixMilli()))
	copy(b, millis[2:])
	binary.BigEndian.PutUint16(b[6:], a)
	return uuid(b, 7)
}

func encoded(n uint64, digits string, width int) string {
	b := make([]byte, width)
	for i := range slices.Backward(b) {
		b[i] = digits[n%uint64(len(digits))]
		n /= uint64(len(digits))
	}
	return string(b)
}

// A style is a way to make values; i counts them.
type style func(s *source, i int) string

// values returns as many as a scenario collects.
func (s *source) values(of style) []string {
	values := make([]string, 50)
	for i := range values {
		values[i] = of(s, i)
	}
	return values
}

func TestRandomValuesAreNotGuessable(t *testing.T) {
	for name, of := range map[string]style{
		"128 bits in hexadecimal":    func(s *source, _ int) string { return hex.EncodeToString(s.bytes(16)) },
		"256 bits in hexadecimal":    func(s *source, _ int) string { return hex.EncodeToString(s.bytes(32)) },
		"16 hexadecimal digits":      func(s *source, _ int) string { return s.characters(16, hexDigits) },
		"16 decimal digits":          func(s *source, _ int) string { return s.characters(16, decimals) },
		"128 bits in base64url":      func(s *source, _ int) string { return base64.RawURLEncoding.EncodeToString(s.bytes(16)) },
		"256 bits in base64, padded": func(s *source, _ int) string { return base64.StdEncoding.EncodeToString(s.bytes(32)) },
		"UUID version 4":             func(s *source, _ int) string { return uuid(s.bytes(16), 4) },
		"UUID version 4 in capitals": func(s *source, _ int) string { return "{" + strings.ToUpper(uuid(s.bytes(16), 4)) + "}" },
		"UUID version 7":             func(s *source, _ int) string { return s.uuid7(s.tick(), uint16(s.Uint32())) },
		"UUID version 7, finer clock": func(s *source, _ int) string {
			at := s.tick()
			return s.uuid7(at, uint16(at.Nanosecond()%1e6*4096/1e6))
		},
		"UUID version 7, counter":         func(s *source, i int) string { return s.uuid7(s.tick(), uint16(i)) },
		"UUID version 7, one millisecond": func(s *source, i int) string { return s.uuid7(s.now, uint16(i)) },
		"ULID": func(s *source, _ int) string {
			return encoded(uint64(s.tick().UnixMilli()), base32, 10) + s.characters(16, base32)
		},
		"KSUID-like": func(s *source, _ int) string {
			return encoded(uint64(s.tick().Unix()), base36, 7) + s.characters(20, base36)
		},
		"25 base-36 characters": func(s *source, _ int) string { return s.characters(25, base36) },
		"prefix and random":     func(s *source, _ int) string { return "state-" + s.characters(22, base36) },
		"clock and random": func(s *source, _ int) string {
			return fmt.Sprint(s.tick().UnixMilli(), ".", hex.EncodeToString(s.bytes(16)))
		},
		"counter and random":               func(s *source, i int) string { return fmt.Sprintf("%08d-%x", i, s.bytes(12)) },
		"random and counter":               func(s *source, i int) string { return fmt.Sprintf("%x-%d", s.bytes(12), i) },
		"signed token, random payload":     func(s *source, _ int) string { return token(s, fmt.Sprintf(`{"nonce":"%x"}`, s.bytes(16))) },
		"signed token, clock in its front": func(s *source, _ int) string { return token(s, fmt.Sprintf(`{"iat":%d}`, s.tick().Unix())) },
		"signed token, same payload":       func(s *source, _ int) string { return token(s, `{"aud":"platform"}`) },
		"different lengths":                func(s *source, _ int) string { return s.characters(16+s.IntN(30), base36) },
		"beyond ASCII":                     func(s *source, _ int) string { return "é" + s.characters(20, base36) + "\x00" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSource(name)
			for round := range 2000 {
				values := s.values(of)
				if problem := Problem(values); problem != "" {
					t.Fatalf("round %d: %s\n%s", round, problem, strings.Join(values, "\n"))
				}
			}
		})
	}
}

// token is like a JWT: its beginning is always the same, its signature never.
func token(s *source, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims)) + "." + encode(s.bytes(32))
}

func TestCountersAndClocksAreGuessable(t *testing.T) {
	for name, of := range map[string]style{
		"counter":                     func(_ *source, i int) string { return fmt.Sprintf("%016d", i) },
		"counter further on":          func(_ *source, i int) string { return fmt.Sprintf("%020d", 987654321+i) },
		"counter with a prefix":       func(_ *source, i int) string { return fmt.Sprintf("nonce-of-login-%06d", i) },
		"counter in hexadecimal":      func(_ *source, i int) string { return fmt.Sprintf("%032x", i) },
		"counter like a UUID":         func(_ *source, i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", i) },
		"counter downwards":           func(_ *source, i int) string { return fmt.Sprintf("%016d", 100000-i) },
		"counter in steps":            func(_ *source, i int) string { return fmt.Sprintf("%016d", i*7919) },
		"counter before a constant":   func(_ *source, i int) string { return fmt.Sprintf("%04d-5f0e8a7c9b1d4e63", i) },
		"seconds and counter":         func(s *source, i int) string { return fmt.Sprintf("%d-%06d", s.tick().Unix(), i) },
		"milliseconds with a prefix":  func(s *source, _ int) string { return fmt.Sprint("state-", s.tick().UnixMilli()) },
		"microseconds":                func(s *source, _ int) string { return fmt.Sprint(s.tick().UnixMicro()) },
		"nanoseconds":                 func(s *source, _ int) string { return fmt.Sprint(s.tick().UnixNano()) },
		"nanoseconds in hexadecimal":  func(s *source, _ int) string { return strconv.FormatInt(s.tick().UnixNano(), 16) },
		"nanoseconds downwards":       func(s *source, _ int) string { return fmt.Sprint(1<<62 - s.tick().UnixNano()) },
		"nanoseconds and a constant":  func(s *source, _ int) string { return fmt.Sprintf("%d%032d", s.tick().UnixNano(), 7) },
		"date and time":               func(s *source, _ int) string { return s.tick().Format("2006-01-02T15:04:05.000Z07:00") },
		"date and time, nanoseconds":  func(s *source, _ int) string { return s.tick().Format("20060102150405.000000000") },
		"clock and 4 random digits":   func(s *source, _ int) string { return fmt.Sprint(s.tick().UnixNano(), s.characters(4, decimals)) },
		"clock and 32 random bits":    func(s *source, _ int) string { return fmt.Sprintf("%011x%x", s.tick().UnixMilli(), s.bytes(4)) },
		"UUID version 1":              func(s *source, _ int) string { return uuid1(s, 0x1f0a1b2c00000000) },
		"MongoDB's ObjectID":          func(s *source, i int) string { return fmt.Sprintf("%08x5f0e8a7c9b%06x", s.tick().Unix(), 0x1a2b00+i) },
		"snowflake":                   func(s *source, i int) string { return fmt.Sprint(s.tick().UnixMilli()<<22 | 5<<12 | int64(i)) },
		"ULID of one millisecond":     func(_ *source, i int) string { return "01HTXK5Z8MQ4R7W2VN6P3D9C" + encoded(uint64(i), base32, 2) },
		"UUID version 7, incremented": func(_ *source, i int) string { return fmt.Sprintf("018f3a5e-7c21-7d40-9b3a-5e8f1c%06x", 0xffa0+i) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSource(name)
			for range 100 {
				s.now = newSource("").now.Add(time.Duration(s.Int64N(int64(time.Minute))))
				values := s.values(of)
				if problem := Problem(values); !strings.Contains(problem, "in order") {
					t.Fatalf("%q\n%s", problem, strings.Join(values, "\n"))
				}
			}
		})
	}
}

// uuid1 is of RFC 9562, 5.1: a clock in steps of 100 ns, whose fastest digits
// come first and run over every seven minutes, and always the same node.
func uuid1(s *source, start uint64) string {
	ticks := start + uint64(s.tick().UnixNano()-newSource("").now.UnixNano())/100
	return fmt.Sprintf("%08x-%04x-1%03x-9c1e-0242ac120002", ticks&0xffffffff, ticks>>32&0xffff, ticks>>48&0xfff)
}

func TestValuesThatRepeatOrSayTooLittleAreGuessable(t *testing.T) {
	random := func() []string {
		return newSource(t.Name()).values(func(s *source, _ int) string { return s.characters(32, hexDigits) })
	}
	for name, test := range map[string]struct {
		change func(values []string)
		want   string
	}{
		"first empty":        {func(v []string) { v[0] = "" }, "it is empty or absent"},
		"one empty":          {func(v []string) { v[31] = "" }, "it is empty or absent"},
		"all empty":          {func(v []string) { clear(v) }, "it is empty or absent"},
		"one short":          {func(v []string) { v[49] = "0123456789abcde" }, `"0123456789abcde" has 15 characters, fewer than 16`},
		"all short":          {func(v []string) { shorten(v, 15) }, "has 15 characters, fewer than 16"},
		"single characters":  {func(v []string) { shorten(v, 1) }, "has 1 characters, fewer than 16"},
		"first comes again":  {func(v []string) { v[49] = v[0] }, "came twice"},
		"neighbours":         {func(v []string) { v[20] = v[19] }, "came twice"},
		"always the same":    {func(v []string) { fillWith(v, "5f0e8a7c9b1d4e63") }, `"5f0e8a7c9b1d4e63" came twice`},
		"shortest of all":    {func(v []string) { shorten(v, 16) }, ""},
		"as they were":       {func([]string) {}, ""},
		"differ in the case": {func(v []string) { v[49] = strings.ToUpper(v[0]) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			values := random()
			test.change(values)
			if test.want == "" {
				g.Expect(Problem(values)).To(gomega.BeEmpty())
			} else {
				g.Expect(Problem(values)).To(gomega.ContainSubstring(test.want))
			}
		})
	}
}

func shorten(values []string, n int) {
	for i := range values {
		values[i] = values[i][:n]
	}
}

func fillWith(values []string, v string) {
	for i := range values {
		values[i] = v
	}
}

// rows returns 16 values in order, of which width characters vary by 4 bits
// each and rest characters not at all.
func rows(width, rest int) []string {
	var values []string
	for _, digit := range hexDigits {
		values = append(values, strings.Repeat(string(digit), width)+strings.Repeat("x", rest))
	}
	return values
}

func TestValuesInOrderNeedARandomPart(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(Problem(rows(16, 0))).To(gomega.BeEmpty(), "64 bits are enough")
	g.Expect(Problem(rows(15, 1))).To(gomega.ContainSubstring("vary by about 60 bits"))
	down := rows(15, 1)
	slices.Reverse(down)
	g.Expect(Problem(down)).To(gomega.ContainSubstring("vary by about 60 bits"))
	before := slices.Clone(down)
	Problem(down)
	g.Expect(down).To(gomega.Equal(before), "the values are left as they are")
}

func TestBits(t *testing.T) {
	for name, test := range map[string]struct {
		values []string
		want   float64
	}{
		"none":               {nil, 0},
		"one":                {[]string{"abc"}, 0},
		"the same":           {[]string{"abc", "abc"}, 0},
		"one character":      {[]string{"abc", "abd"}, 1},
		"every character":    {[]string{"abc", "xyz"}, 3},
		"four of each":       {[]string{"aa", "bb", "cc", "dd"}, 4},
		"different lengths":  {[]string{"a", "bc", "bdx"}, 2},
		"sixteen in fifteen": {rows(15, 1), 60},
	} {
		t.Run(name, func(t *testing.T) {
			gomega.NewWithT(t).Expect(bits(test.values)).To(gomega.BeNumerically("~", test.want, 1e-9))
		})
	}
}

func TestSpread(t *testing.T) {
	g := gomega.NewWithT(t)
	values := []string{"bb", "a", "cccc"}
	g.Expect(Spread(values, "")).To(gomega.Equal("All different: 3 values of 1 to 4 characters that vary by about 3 bits."))
	g.Expect(Spread(values, "it is odd")).To(gomega.Equal("it is odd: 3 values of 1 to 4 characters that vary by about 3 bits."))
	g.Expect(Spread([]string{""}, "it is empty")).To(gomega.Equal("It is empty or absent in all of 1 requests."))
}

func TestCountersWithoutLeadingZerosAreGuessable(t *testing.T) {
	for name, of := range map[string]style{
		"counter past a power of ten":    func(_ *source, i int) string { return fmt.Sprint("nonce-of-the-login-", i) },
		"clock, trailing zeros left out": func(s *source, _ int) string { return s.tick().Truncate(time.Millisecond).Format(time.RFC3339Nano) },
		"clock in base64": func(s *source, _ int) string {
			return base64.RawURLEncoding.EncodeToString(fmt.Append(nil, s.tick().UnixMicro()))
		},
		"counter in little endian": func(_ *source, i int) string {
			return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, uint64(250+i)))
		},
		"UUID version 1 as it runs over": func(s *source, _ int) string { return uuid1(s, 0x1f0a1b2bff800000) },
		"3 random digits":                func(_ *source, i int) string { return fmt.Sprintf("nonce-of-the-login-%03d", i*619%1000) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(name)
			values := s.values(of)
			if Problem(values) == "" {
				t.Errorf("not found:\n%s", strings.Join(values, "\n"))
			}
		})
	}
}

func TestWhichAddressesCanBeGuessed(t *testing.T) {
	t.Parallel()
	g := gomega.NewWithT(t)
	for _, address := range []string{
		"https://tool.example/home", "https://tool-of-some-university.example/launch?user=17", "https://tool.example/reviews/2026/learner-3f1c#top",
		"https://tool.example", "https://tool.example/0000000000000000000000",
	} {
		g.Expect(Address(address)).To(gomega.BeTrue(), address)
	}
	for _, address := range []string{
		"https://tool.example/page?launch=Vq3xk_9ZpT1mWc-7YbNs2A", "https://tool.example/s/550e8400-e29b-41d4-a716-446655440000/page",
		"https://tool.example/#/home?ltik=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		"https://tool.example/p;jsessionid=0A1B2C3D4E5F60718293A4B5C6D7E8F9",
	} {
		g.Expect(Address(address)).To(gomega.BeFalse(), address)
	}
}
