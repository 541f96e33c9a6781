// One machine of the scale model, in Go's standard library alone. ../README.md is the protocol.
//
//	go build -o /tmp/machine-go machines/go/machine.go
//	npx tsx launch.ts --replace 1=/tmp/machine-go
//	/tmp/machine-go --vectors machines/vectors.json
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ── The rule, and the seed's dice ───────────────────────────────────────────────────────────

const rolls, ticks = 0, 4 // What a stream of chance is for.

type stream struct{ first, second uint32 }

func mix(w uint32) uint32 {
	w = (w ^ w>>16) * 0x7feb352d
	w = (w ^ w>>15) * 0x846ca68b
	return w ^ w>>16
}

func newStream(seed uint64, machine, purpose int) stream {
	s := stream{0x243f6a88, 0x85a308d3}
	for _, part := range []uint32{uint32(seed), uint32(seed >> 32), uint32(machine), uint32(purpose)} {
		s.first = mix((s.first ^ part) + 0x9e3779b9)
		s.second = mix((s.second ^ part) + 0x9e3779b9)
	}
	return s
}

// uniform is the n-th number of a stream, in [0, 1).
func (s stream) uniform(n int) float64 {
	return float64(mix(mix(uint32(n)^s.first)+s.second)) / (1 << 32)
}

type machine struct {
	ID       int      `json:"id"`
	Machines int      `json:"machines"`
	Internal float64  `json:"internal"`
	Clock    int64    `json:"clock"`
	Both     *float64 `json:"both"`
	Sends    *bool    `json:"sends"`
}

// step is one tick: the event, the clock after it, and the ids to send to; message -1 is none.
func (m machine) step(message int64, roll float64) (string, int64, []int) {
	if message >= 0 {
		if message > m.Clock {
			return "receive", message + 1, []int{}
		}
		return "receive", m.Clock + 1, []int{}
	}
	sends := 1 - m.Internal
	if roll >= sends || (m.Sends != nil && !*m.Sends) {
		return "internal", m.Clock + 1, []int{}
	}
	peers := others(m.ID, m.Machines)
	share, all := 1.5*roll/sends, !(3*roll < 2*sends)
	if m.Both != nil && *m.Both != 1.0/3 {
		one := (1 - *m.Both) * sends
		share, all = roll/one, !(roll < one)
	}
	if all {
		return "send", m.Clock + 1, peers
	}
	place := int(math.Floor(share * float64(len(peers))))
	if place > len(peers)-1 {
		place = len(peers) - 1
	}
	return "send", m.Clock + 1, peers[place : place+1]
}

func others(id, machines int) []int {
	list := []int{}
	for other := 0; other < machines; other++ {
		if other != id {
			list = append(list, other)
		}
	}
	return list
}

// logarithm is ln x to the bit as the lab has it; float64() forbids fused operations.
func logarithm(x float64) float64 {
	halvings := 0.0
	for ; x < 0.5; x *= 2 {
		halvings++
	}
	z := (x - 1) / (x + 1)
	sum := 0.0
	for odd := 33.0; odd > 0; odd -= 2 {
		sum = float64(float64(sum*z)*z) + 1/odd
	}
	return float64(2*z*sum) - float64(halvings*0.6931471805599453)
}

// schedule returns when the next tick is due, model seconds, at each call.
func schedule(kind string, seed uint64, id int, rate, phase float64) func() float64 {
	chance, k, at := newStream(seed, id, ticks), 0, 0.0
	jitter := 0.0
	if strings.HasPrefix(kind, "jitter:") {
		jitter, _ = strconv.ParseFloat(kind[7:], 64)
	}
	return func() float64 {
		u := chance.uniform(k)
		n := float64(k)
		k++
		if kind == "poisson" {
			at -= float64(logarithm(1-u) / rate)
			return at
		}
		return math.Max(0, n+phase+float64(jitter*(2*u-1))) / rate
	}
}

type message struct {
	from  int
	clock int64
}

type knobs struct {
	Take     string  `json:"take"`
	QueueMax *int    `json:"queue_max"`
	Drop     string  `json:"drop"`
	News     bool    `json:"news"`
	Ticks    string  `json:"ticks"`
	Senders  *[]int  `json:"senders"`
	Both     float64 `json:"both"`
}

// arrive lets a message wait, unless a knob discards it.
func (k knobs) arrive(inbox []message, m message, clock int64) []message {
	if k.News && m.clock <= clock {
		return inbox
	}
	if k.QueueMax != nil && len(inbox) >= *k.QueueMax {
		if k.Drop == "newest" {
			return inbox
		}
		inbox = inbox[1:]
	}
	return append(inbox, m)
}

// take returns the messages that one tick takes, and those that are left.
func (k knobs) take(inbox []message) (taken, left []message) {
	last := len(inbox) - 1
	switch {
	case last < 0 || k.Take == "all":
		return inbox, nil
	case k.Take == "oldest":
		return inbox[:1], inbox[1:]
	}
	return inbox[last:], inbox[:last]
}

type line struct {
	Hello *int64  `json:"hello,omitempty"`
	Token *string `json:"token,omitempty"`
	Life  int     `json:"life,omitempty"`
	Ready bool    `json:"ready,omitempty"`
	Start *int64  `json:"start_us,omitempty"`
	Clock *int64  `json:"clock,omitempty"`
	Stop  bool    `json:"stop,omitempty"`
}

// parse reads a line of the wire; nil if it is none.
func parse(text []byte) *line {
	l := line{}
	isCount := func(x *int64, most int64) bool { return x != nil && *x >= 0 && *x <= most }
	const safe = 1<<53 - 1
	if len(text) > 1024 || json.Unmarshal(text, &l) != nil {
		return nil
	}
	if isCount(l.Clock, 1<<52) {
		return &line{Clock: l.Clock}
	}
	if isCount(l.Hello, safe) && l.Token != nil && l.Life >= 0 {
		return &line{Hello: l.Hello, Token: l.Token, Life: l.Life}
	}
	if isCount(l.Start, safe) {
		return &line{Start: l.Start}
	}
	if l.Ready {
		return &line{Ready: true}
	}
	if l.Stop {
		return &line{Stop: true}
	}
	return nil
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────

// Go's time.Since is steady: the wall clock is read once.
var origin = time.Now()

func nowUs() int64 { return origin.UnixMicro() + time.Since(origin).Microseconds() }

// ── The machine ─────────────────────────────────────────────────────────────────────────────

type setup struct {
	machine
	Rate     float64   `json:"rate"`
	Phase    float64   `json:"phase"`
	Rates    []float64 `json:"rates"`
	Duration float64   `json:"duration"`
	Speed    float64   `json:"speed"`
	Seed     uint64    `json:"seed"`
	Token    string    `json:"token"`
	Listen   string    `json:"listen"`
	Life     int       `json:"life"`
	Start    *int64    `json:"start_us"`
	Knobs    knobs     `json:"knobs"`
}

// link is a connection; peer is -1 until its other end has said hello.
type link struct {
	net.Conn
	called, peer int
	bytes        []byte
	gone         bool
}

func (l *link) say(words line) {
	text, _ := json.Marshal(words)
	l.Write(append(text, '\n')) // If it is gone, what is sent to it is lost.
}

type node struct {
	setup
	inbox     []message
	open      []*link // All connections, also those that have not said hello.
	links     map[int]*link
	calling   map[int]*link
	lives     map[int]int
	ready     map[int]bool
	cut       map[int]bool
	healing   map[int]bool
	addresses map[int]string
	called    chan net.Conn
	input     chan []byte
	signals   chan os.Signal
	stopping  bool
}

func (n *node) hello() line {
	id := int64(n.ID)
	return line{Hello: &id, Token: &n.Token, Life: n.Life}
}

func (n *node) add(conn net.Conn, called int) *link {
	l := &link{Conn: conn, called: called, peer: -1}
	n.open = append(n.open, l)
	return l
}

func (n *node) call(peer int) {
	conn, err := net.DialTimeout("tcp", n.addresses[peer], 2*time.Second)
	if err != nil {
		return
	}
	n.calling[peer] = n.add(conn, peer)
	n.calling[peer].say(n.hello())
}

func (n *node) drop(l *link, why string) {
	if l == nil || l.gone {
		return
	}
	if why != "" {
		fmt.Fprintf(os.Stderr, "machine %d: connection closed: %s\n", n.ID, why)
	}
	l.gone = true
	l.Close()
	if n.calling[l.called] == l {
		delete(n.calling, l.called)
	}
	if n.links[l.peer] == l {
		delete(n.links, l.peer)
	}
	for at, other := range n.open {
		if other == l {
			n.open = append(append([]*link{}, n.open[:at]...), n.open[at+1:]...)
			break
		}
	}
}

// look hears all that has come, without waiting.
func (n *node) look() {
	for more := true; more; {
		select {
		case conn := <-n.called:
			n.add(conn, -1)
		case text, ok := <-n.input:
			if !ok {
				n.stopping, n.input = true, nil
			} else {
				n.command(text)
			}
		case <-n.signals:
			n.stopping = true
		default:
			more = false
		}
	}
	for _, l := range append([]*link{}, n.open...) {
		for !l.gone && n.read(l) {
		}
	}
}

// read takes what the kernel has of a connection, at once; true if there was something.
func (n *node) read(l *link) bool {
	raw, err := l.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		n.drop(l, "")
		return false
	}
	buffer, count := make([]byte, 65536), 0
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		count, failed = syscall.Read(int(fd), buffer)
		return true
	})
	if failed == syscall.EAGAIN {
		return false
	}
	if err != nil || failed != nil || count <= 0 {
		n.drop(l, "")
		return false
	}
	l.bytes = append(l.bytes, buffer[:count]...)
	for !l.gone {
		end := bytes.IndexByte(l.bytes, '\n')
		if end < 0 {
			break
		}
		words := parse(l.bytes[:end])
		l.bytes = l.bytes[end+1:]
		if words == nil {
			n.drop(l, "not a line of the protocol")
		} else {
			n.hear(l, *words)
		}
	}
	if len(l.bytes) > 1024 {
		n.drop(l, "a line of more than 1024 bytes")
	}
	return true
}

func (n *node) hear(l *link, words line) {
	switch {
	case l.peer < 0:
		n.greet(l, words)
	case words.Clock != nil && float64(*words.Clock) > n.clockMax():
		n.drop(l, "a clock that no machine can have")
	case words.Clock != nil:
		n.inbox = n.Knobs.arrive(n.inbox, message{l.peer, *words.Clock}, n.Clock)
	case words.Ready && n.ID == 0:
		n.ready[l.peer] = true
	case words.Start != nil && l.peer == 0 && n.Start == nil:
		n.Start = words.Start
	case !words.Stop:
		n.drop(l, "out of turn")
	}
}

// clockMax is the number of all ticks of all machines so far, with room.
func (n *node) clockMax() float64 {
	since, sum := 5e6, 0.0
	if n.Start != nil {
		since += math.Max(0, float64(nowUs()-*n.Start))
	}
	for _, rate := range n.Rates {
		sum += rate
	}
	return 1000 + 1.2*sum*n.Speed*since/1e6
}

func (n *node) greet(l *link, words line) {
	if words.Hello == nil || *words.Token != n.Token || n.addresses[int(*words.Hello)] == "" {
		n.drop(l, "wrong token or unknown id")
		return
	}
	peer := int(*words.Hello)
	returns := words.Life > n.lives[peer]
	switch {
	case l.called >= 0 && l.called != peer, l.called < 0 && peer < n.ID && words.Life == 0:
		n.drop(l, "it is not this id's turn to call")
	case n.cut[peer], l.called < 0 && n.calling[peer] != nil && n.ID > peer:
		n.drop(l, "")
	case n.links[peer] != nil && !returns:
		n.drop(l, fmt.Sprintf("a second connection from id %d", peer))
	default:
		n.drop(n.links[peer], "")
		n.lives[peer], l.peer, n.links[peer] = words.Life, peer, l
		delete(n.calling, peer)
		if l.called < 0 {
			l.say(n.hello())
		}
		if n.healing[peer] {
			delete(n.healing, peer)
			fmt.Printf("# machine %d healed %d\n", n.ID, peer)
		}
	}
}

func (n *node) command(text []byte) {
	words := struct{ Cut, Heal *int }{}
	if json.Unmarshal(text, &words) != nil {
		return
	}
	if words.Cut != nil {
		n.cut[*words.Cut] = true
		n.drop(n.links[*words.Cut], "")
		n.drop(n.calling[*words.Cut], "")
		fmt.Printf("# machine %d cut %d\n", n.ID, *words.Cut)
	} else if words.Heal != nil {
		delete(n.cut, *words.Heal)
		n.healing[*words.Heal] = true
		if n.ID > *words.Heal {
			n.call(*words.Heal)
		}
	}
}

// until waits for a deadline; it returns the time at which it looked: what came by then is heard.
func (n *node) until(at int64) int64 {
	for !n.stopping && nowUs() < at {
		n.look() // Often, so that messages wait in the order in which they came.
		left := time.Duration(at-nowUs()) * time.Microsecond
		if left > time.Millisecond {
			left = time.Millisecond
		}
		time.Sleep(left)
	}
	// A look that takes longer was interrupted, and may have heard what came after its time.
	for nth := 1; ; nth++ {
		now := nowUs()
		n.look()
		if nowUs()-now <= 5000 || nth == 20 {
			return now
		}
	}
}

// gather connects with all and agrees on the start; false if it is to stop before.
func (n *node) gather() bool {
	peers := others(n.ID, n.Machines)
	for _, peer := range peers {
		if n.Life > 0 || peer < n.ID {
			n.call(peer)
		}
	}
	begun, said := nowUs(), false
	for ; !n.stopping; n.until(nowUs() + 2000) {
		whole := len(n.links) == len(peers)
		switch {
		case n.Life > 0 && (len(n.calling) == 0 || nowUs() > begun+2e6):
			return true
		case n.Life > 0:
			continue
		case whole && !said && n.ID != 0:
			n.links[0].say(line{Ready: true})
			said = true
		case whole && n.ID == 0 && len(n.ready) == len(peers):
			start := nowUs() + 50_000 + 2000*int64(len(peers))
			for _, l := range n.links {
				l.say(line{Start: &start})
			}
			n.Start = &start
		}
		if n.Start != nil {
			return true
		}
		if nowUs() > begun+60e6 {
			fmt.Fprintf(os.Stderr, "machine %d: not connected after 60 s\n", n.ID)
			os.Exit(1)
		}
	}
	return false
}

func (n *node) row(time int64, tick, event, peers, messages string) {
	queue := len(n.inbox)
	if event == "start" {
		queue = 0 // At the start nothing had been sent, though it may have been heard by now.
	}
	fmt.Printf("%d,%d,%s,%s,%s,%s,%d,%d\n",
		time, n.ID, tick, event, peers, messages, queue, n.Clock)
}

func (n *node) run() {
	dice := newStream(n.Seed, n.ID, rolls)
	next := schedule(n.Knobs.Ticks, n.Seed, n.ID, n.Rate, n.Phase)
	due := func() float64 { return float64(*n.Start) + next()*1e6/n.Speed }
	end := float64(*n.Start) + n.Duration*1e6/n.Speed
	k, at := 0, due()
	if n.Life > 0 {
		n.inbox = nil // What was sent to it before this row died with it.
		back := nowUs()
		n.row(back, "", "restart", "", "")
		for ; at < float64(back); at = due() {
			k++
		}
	} else {
		if n.until(*n.Start) < *n.Start {
			return
		}
		n.row(*n.Start, "", "start", "", "")
	}
	for {
		now := n.until(int64(math.Ceil(math.Min(at, end))))
		// A machine that was stalled skips what it missed: to catch up would be a burst.
		after := due()
		for ; after <= float64(now); after = due() {
			k, at = k+1, after
		}
		if n.stopping || at >= end {
			n.row(now, "", "stop", "", "")
			return
		}
		n.tick(now, k, dice.uniform(k))
		k, at = k+1, after
	}
}

func (n *node) tick(now int64, k int, roll float64) {
	var taken []message
	taken, n.inbox = n.Knobs.take(n.inbox)
	largest, whom, what := int64(-1), []string{}, []string{}
	for _, m := range taken {
		if m.clock > largest {
			largest = m.clock
		}
		whom, what = append(whom, strconv.Itoa(m.from)), append(what, strconv.FormatInt(m.clock, 10))
	}
	event, clock, peers := n.step(largest, roll)
	n.Clock = clock
	for _, peer := range peers {
		whom = append(whom, strconv.Itoa(peer))
	}
	if event == "send" {
		what = []string{strconv.FormatInt(clock, 10)}
	}
	n.row(now, strconv.Itoa(k), event, strings.Join(whom, " "), strings.Join(what, " "))
	for _, peer := range peers {
		if l := n.links[peer]; l != nil {
			l.say(line{Clock: &clock})
		}
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "--vectors" {
		checkVectors(os.Args[2])
	}
	input := bufio.NewReader(os.Stdin)
	n := &node{links: map[int]*link{}, calling: map[int]*link{}, lives: map[int]int{},
		ready: map[int]bool{}, cut: map[int]bool{}, healing: map[int]bool{}, addresses: map[int]string{},
		called: make(chan net.Conn), input: make(chan []byte), signals: make(chan os.Signal, 2)}
	if text, _ := input.ReadBytes('\n'); json.Unmarshal(text, &n.setup) != nil {
		os.Exit(0)
	}
	n.Both = &n.Knobs.Both
	if n.Knobs.Senders != nil {
		sends := false
		for _, id := range *n.Knobs.Senders {
			sends = sends || id == n.ID
		}
		n.Sends = &sends
	}
	listener, err := net.Listen("tcp", n.Listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	fmt.Printf("# dice seed\n# machine %d listens on port %d\n", n.ID, port)
	introduction := struct{ Peers []string }{}
	if text, _ := input.ReadBytes('\n'); json.Unmarshal(text, &introduction) != nil {
		os.Exit(0)
	}
	for at, peer := range others(n.ID, n.Machines) {
		n.addresses[peer] = introduction.Peers[at]
	}
	signal.Notify(n.signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			n.called <- conn
		}
	}()
	go func(lines chan []byte) {
		for text, err := input.ReadBytes('\n'); err == nil; text, err = input.ReadBytes('\n') {
			lines <- text
		}
		close(lines)
	}(n.input)
	if !n.gather() {
		return
	}
	n.run()
	listener.Close()
	for _, l := range n.links {
		l.say(line{Stop: true})
		l.Conn.(*net.TCPConn).CloseWrite()
	}
	for limit := nowUs() + 2e6; len(n.links) > 0 && nowUs() < limit; n.look() {
		time.Sleep(2 * time.Millisecond)
	}
}

// ── Vectors ─────────────────────────────────────────────────────────────────────────────────

// checkVectors compares this machine with what the lab's model does; exits 1 if anything differs.
func checkVectors(path string) {
	file, err := os.ReadFile(path)
	var v struct {
		Rolls []struct {
			Seed                uint64
			Machine, Purpose, N int
			Value               float64
		}
		Steps []struct {
			Machine machine
			Message *int64
			Roll    float64
			Event   string
			Clock   int64
			Peers   []int
		}
		Schedules []struct {
			Ticks       string
			Seed        uint64
			Machine     int
			Rate, Phase float64
			Due         []float64 `json:"due_s"`
		}
		Inboxes []struct {
			Knobs                 knobs
			Clock                 int64
			Messages, Taken, Left [][2]int64
		}
		Lines []struct {
			Text string
			Line *line
		}
	}
	if err == nil {
		err = json.Unmarshal(file, &v)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	wrong := 0
	same := func(what string, got, want any) {
		one, _ := json.Marshal(got)
		two, _ := json.Marshal(want)
		if !bytes.Equal(one, two) {
			wrong++
			fmt.Printf("%s: %s, not %s\n", what, one, two)
		}
	}
	for _, c := range v.Rolls {
		same("roll", newStream(c.Seed, c.Machine, c.Purpose).uniform(c.N), c.Value)
	}
	for _, c := range v.Steps {
		message := int64(-1)
		if c.Message != nil {
			message = *c.Message
		}
		event, clock, peers := c.Machine.step(message, c.Roll)
		same("step", []any{event, clock, peers}, []any{c.Event, c.Clock, c.Peers})
	}
	for _, c := range v.Schedules {
		next := schedule(c.Ticks, c.Seed, c.Machine, c.Rate, c.Phase)
		for _, due := range c.Due {
			same("schedule", next(), due)
		}
	}
	for _, c := range v.Inboxes {
		inbox := []message{}
		for _, m := range c.Messages {
			inbox = c.Knobs.arrive(inbox, message{int(m[0]), m[1]}, c.Clock)
		}
		taken, left := c.Knobs.take(inbox)
		for at, list := range [][]message{taken, left} {
			pairs := [][2]int64{}
			for _, m := range list {
				pairs = append(pairs, [2]int64{int64(m.from), m.clock})
			}
			same("inbox", pairs, [][][2]int64{c.Taken, c.Left}[at])
		}
	}
	for _, c := range v.Lines {
		same("line "+c.Text, parse([]byte(c.Text)), c.Line)
	}
	if wrong > 0 {
		os.Exit(1)
	}
	passed := len(v.Rolls) + len(v.Steps) + len(v.Schedules) + len(v.Inboxes) + len(v.Lines)
	fmt.Println(passed, "vectors passed")
	os.Exit(0)
}
