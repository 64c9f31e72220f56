// An application server with net/http: accepts sealed callbacks, each once. It takes the same environment variables as
// examples/callback_server/src/main.rs, but LISTEN has no default: without it, the system chooses the port.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"example.com/oss-callback/osscallback"
)

func main() {
	options := osscallback.VerifierOptions{}
	if url := os.Getenv("TEST_KEY_URL"); url != "" { // for tests only
		options.TestKeys = map[string]string{url: os.Getenv("TEST_KEY")}
	}
	if prefix := os.Getenv("STRIPPED_PREFIX"); prefix != "" {
		options.PrependPrefixes = []string{prefix}
	}
	verifier, err := osscallback.NewVerifier(options)
	if err != nil {
		log.Fatal(err)
	}
	sealer, err := osscallback.NewSealer(osscallback.SealKey{ID: "2026-01", Secret: []byte(os.Getenv("SEAL_SECRET"))})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := osscallback.NewReplayGuard(100_000)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := osscallback.NewHandler(osscallback.HandlerOptions{
		Verifier:    verifier,
		Sealer:      sealer,
		ReplayGuard: guard,
		Serve: func(callback *osscallback.Callback) (any, error) {
			if callback.Seen == osscallback.FirstSeen {
				log.Printf("%q has %d bytes", callback.Sealed.Object, callback.Sealed.Size)
			}
			return map[string]string{"Status": "OK"}, nil
		},
		Refused: func(request *http.Request, err error) { log.Printf("%s: %v", request.RemoteAddr, err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", os.Getenv("LISTEN"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening http://%s\n", listener.Addr())
	server := http.Server{Handler: handler, ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
