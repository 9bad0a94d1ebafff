// Reads a node's log with the libraries that Go's module database is read with, and nothing of ours:
// checks the checkpoint's signatures, fetches tiles, proves every entry under its root, and proves that
// an older head, if one is given, is a beginning of it.
//
// Usage: interop URL ORIGIN VERIFIER-KEY[,VERIFIER-KEY...] QUORUM [OLD-CHECKPOINT-FILE]
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "interop: "+format+"\n", arguments...)
	os.Exit(1)
}

func fetch(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, answer.Status, body)
	}
	return body, err
}

// The head of the log that a checkpoint names, if enough of the keys signed it.
func open(octets []byte, origin string, keys []note.Verifier, quorum int) tlog.Tree {
	opened, err := note.Open(octets, note.VerifierList(keys...))
	if err != nil {
		fail("the note: %v", err)
	}
	if len(opened.Sigs) < quorum {
		fail("%d keys signed, %d are needed", len(opened.Sigs), quorum)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		fail("the checkpoint is of another log: %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("the size: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("the root %q: %v", lines[2], err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// Tiles as C2SP's tlog-tiles has them: of height 8, which their paths do not name.
type tiles struct{ url string }

func (tiles) Height() int { return 8 }

func (from tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		octets, err := fetch(from.url + "/" + path)
		if err != nil {
			return nil, err
		}
		read = append(read, octets)
	}
	return read, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// The bundle that has the entry at `index`, of a log of `size`.
func bundle(url string, index, size int64) ([][]byte, error) {
	tile := tlog.TileForIndex(8, tlog.StoredHashIndex(0, index))
	tile.W = 256
	if rest := size - tile.N*256; rest < 256 {
		tile.W = int(rest)
	}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	octets, err := fetch(url + "/" + path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(octets) >= 2 {
		length := int(octets[0])<<8 | int(octets[1])
		if len(octets) < 2+length {
			return nil, fmt.Errorf("%s: an entry is cut off", path)
		}
		entries = append(entries, octets[2:2+length])
		octets = octets[2+length:]
	}
	if len(octets) != 0 || len(entries) != tile.W {
		return nil, fmt.Errorf("%s: %d entries instead of %d", path, len(entries), tile.W)
	}
	return entries, nil
}

func main() {
	if len(os.Args) < 5 {
		fail("usage: interop URL ORIGIN KEYS QUORUM [OLD]")
	}
	url, origin := os.Args[1], os.Args[2]
	quorum, err := strconv.Atoi(os.Args[4])
	if err != nil {
		fail("the quorum: %v", err)
	}
	var keys []note.Verifier
	for _, key := range strings.Split(os.Args[3], ",") {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			fail("the key %q: %v", key, err)
		}
		keys = append(keys, verifier)
	}

	octets, err := fetch(url + "/checkpoint")
	if err != nil {
		fail("%v", err)
	}
	tree := open(octets, origin, keys, quorum)
	// Checks each tile against the root before it hands a hash out.
	reader := tlog.TileHashReader(tree, tiles{url})

	var entries [][]byte
	for index := int64(0); index < tree.N; index++ {
		if index%256 == 0 {
			if entries, err = bundle(url, index, tree.N); err != nil {
				fail("%v", err)
			}
		}
		leaf := tlog.RecordHash(entries[index%256])
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			fail("the hash of entry %d: %v", index, err)
		}
		if !bytes.Equal(leaf[:], hashes[0][:]) {
			fail("entry %d does not hash to its leaf", index)
		}
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			fail("a proof of entry %d: %v", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
			fail("entry %d: %v", index, err)
		}
	}

	if len(os.Args) > 5 {
		octets, err := os.ReadFile(os.Args[5])
		if err != nil {
			fail("%v", err)
		}
		old := open(octets, origin, keys, quorum)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err != nil {
			fail("a proof of the older head: %v", err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			fail("the older head is no beginning of this log: %v", err)
		}
		fmt.Printf("%d entries follow the %d of the older head\n", tree.N-old.N, old.N)
	}
	fmt.Printf("%d entries are in the log that %d keys signed\n", tree.N, len(keys))
}
