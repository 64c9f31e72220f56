package osscallback_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	. "example.com/oss-callback/osscallback"
)

func TestAPresignedUploadNeedsNoKey(t *testing.T) {
	app := newApplication(t, 200, agreed)
	url, err := local(t).PresignPutObject(bucket, object(t), time.Minute, &PutOptions{Callback: newSpec(t, app.url), ContentType: "a/b"})
	if err != nil {
		t.Fatal(err)
	}
	if url.Method != "PUT" || url.Header.Get("Content-Type") != "a/b" || time.Until(url.Expires) > time.Minute {
		t.Error(url)
	}
	request, err := http.NewRequest(url.Method, url.URL, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = url.Header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != 200 || string(body) != agreed || contents(t, object(t)) != "hello" {
		t.Error(answer.Status, string(body))
	}

	// On another machine, with this package.
	line, err := json.Marshal(url)
	if err != nil {
		t.Fatal(err)
	}
	var received PresignedURL
	if err := json.Unmarshal(line, &received); err != nil {
		t.Fatal(err)
	}
	o := options("http://127.0.0.1")
	o.Credentials = AnonymousCredentials()
	receipt, err := newClient(t, o).PutObjectWithURL(ctx, &received, Bytes([]byte("again")), nil)
	if err != nil || string(receipt.Answer) != agreed || contents(t, object(t)) != "again" || len(app.received()) != 2 {
		t.Error(receipt, err)
	}
	if err := json.Unmarshal([]byte(`{"url":1}`), &received); err == nil {
		t.Error("nonsense is a URL")
	}
	if _, err := local(t).PresignPutObject(bucket, object(t), time.Second/2, nil); err == nil {
		t.Error("no time at all is a permission")
	}
}

func TestAPresignedDownloadNeedsNoKey(t *testing.T) {
	if _, err := local(t).PutObject(ctx, bucket, object(t), Bytes([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	url, err := local(t).PresignGetObject(bucket, object(t), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(url.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "hello" {
		t.Error(string(body))
	}
	if url, err = local(t).PresignHeadObject(bucket, object(t), time.Minute); err != nil || url.Method != "HEAD" {
		t.Fatal(url, err)
	}
	answer, err = http.Head(url.URL)
	if err != nil || answer.StatusCode != 200 || answer.ContentLength != 5 {
		t.Error(answer, err)
	}
	answer.Body.Close()
}

func TestABrowsersFormUploads(t *testing.T) {
	app := newApplication(t, 200, agreed)
	form, err := local(t).SignPostForm(bucket, PostPolicy{
		Key:              object(t),
		MaxContentLength: 5,
		Callback:         newSpec(t, app.url),
		Fields:           map[string]string{"x-oss-meta-a": "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	post := func(text string) (int, string) {
		var body bytes.Buffer
		writer := multipart.NewWriter(&body)
		for _, field := range form.Fields {
			_ = writer.WriteField(field.Name, field.Value)
		}
		file, _ := writer.CreateFormFile("file", "a.txt")
		_, _ = io.WriteString(file, text)
		writer.Close()
		answer, err := http.Post(form.URL, writer.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text2, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text2)
	}
	if status, body := post("hello"); status != 200 || body != agreed || contents(t, object(t)) != "hello" {
		t.Error(status, body)
	}
	if status, body := post("longer"); status != 400 || !strings.Contains(body, "EntityTooLarge") {
		t.Error(status, body)
	}
	if line, err := json.Marshal(form); err != nil || !strings.Contains(string(line), form.URL) || form.Expires.IsZero() {
		t.Error(string(line), err)
	}
}
