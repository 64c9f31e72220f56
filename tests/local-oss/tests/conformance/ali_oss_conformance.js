// The official Node.js SDK, unchanged, against local-oss.
//
//     npm ci
//     LOCAL_OSS=target/debug/local-oss npm test
//
// Each test runs with signature versions 1 and 4. For an address the SDK has the bucket only in the Host header, in front of the
// region's name, and the key alone in the path.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import readline from "node:readline";
import { Readable } from "node:stream";

import OSS from "ali-oss";

const PROGRAM = process.env.LOCAL_OSS;
const REGION = "cn-hangzhou";
const BUCKET = "examplebucket";
const KEYS = [
  "plain.txt",
  "folder/inner/object",
  "目录/文件 名.txt",
  "a b+c%d&e=f?g#h;i,j:k@l!m'n(o)p*q",
  "~tilde-_.",
  "percent%2Fencoded%20already",
  "double//slash",
  "emoji-\u{1F600}",
  "q".repeat(1023),
];

const md5 = (data) => crypto.createHash("md5").update(data).digest();
const etag = (data) => `"${md5(data).toString("hex").toUpperCase()}"`;

/** The program, on a free port. */
async function startProgram() {
  const flags = ["--access-key-id", "AK", "--access-key-secret", "SK", "--quiet"];
  const child = spawn(PROGRAM, flags, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = readline.createInterface({ input: child.stdout });
  const { value: line } = await lines[Symbol.asyncIterator]().next();
  assert.match(line, /^listening http:\/\/127\.0\.0\.1:/);
  const stop = () =>
    new Promise((resolve) => {
      child.on("exit", resolve);
      child.kill("SIGTERM");
    });
  return { endpoint: line.split(" ")[1], stop };
}

/** An application server that verifies callbacks as OSS's documentation tells it to. */
async function startApplication(keyUrlPrefix) {
  const received = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const verified = await isSigned(request, body, keyUrlPrefix);
    received.push({ url: request.url, headers: request.headers, body: body.toString(), verified });
    const answer = request.url.startsWith("/text") ? "not JSON" : JSON.stringify({ verified });
    response.writeHead(request.url.startsWith("/404") ? 404 : 200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, received, stop: () => new Promise((resolve) => server.close(resolve)) };
}

async function isSigned(request, body, keyUrlPrefix) {
  const url = Buffer.from(request.headers["x-oss-pub-key-url"], "base64").toString();
  if (!url.startsWith(keyUrlPrefix)) return false;
  const key = await (await fetch(url)).text();
  const [, pathname, query] = request.url.match(/^([^?]*)(.*)$/);
  const text = Buffer.concat([Buffer.from(`${decodeURIComponent(pathname)}${query}\n`), body]);
  const signature = Buffer.from(request.headers.authorization, "base64");
  return crypto.createVerify("RSA-MD5").update(text).verify(key, signature);
}

if (!PROGRAM) {
  console.error("say where the program is: LOCAL_OSS=…");
  process.exit(1);
}

for (const version4 of [false, true]) {
  describe(`signature version ${version4 ? 4 : 1}`, () => {
    let program;
    let application;
    let client;

    const open = (accessKeySecret, options) =>
      new OSS({
        accessKeyId: "AK",
        accessKeySecret,
        bucket: BUCKET,
        region: `oss-${REGION}`,
        endpoint: program.endpoint,
        authorizationV4: version4,
        // A retry could hide a failure.
        retryMax: 0,
        ...options,
      });

    before(async () => {
      program = await startProgram();
      application = await startApplication(`${program.endpoint}/`);
      client = open("SK");
    });

    after(async () => {
      await application.stop();
      assert.equal(await program.stop(), 0);
    });

    const callback = (target, members) => ({
      url: application.origin + target,
      body: "object=${object}&size=${size}&v=${x:v}",
      customValue: { v: "值 1" },
      ...members,
    });

    const refused = (status, code) => (error) => {
      assert.deepEqual([error.status, error.code], [status, code]);
      return true;
    };

    test("an object of any name comes back", async () => {
      for (const key of KEYS) {
        const contents = Buffer.from(key);
        const put = await client.put(key, contents);
        assert.deepEqual([put.res.status, put.res.headers.etag], [200, etag(contents)], key);
        const got = await client.get(key);
        assert.deepEqual(got.content, contents);
        const head = await client.head(key);
        assert.deepEqual(
          [head.res.headers["content-length"], head.res.headers.etag],
          [String(contents.length), etag(contents)],
        );
        assert.equal((await client.delete(key)).res.status, 204);
        await assert.rejects(client.get(key), refused(404, "NoSuchKey"));
        await assert.rejects(client.head(key), refused(404, "NoSuchKey"));
      }
    });

    test("files and streams", async () => {
      const contents = crypto.randomBytes(3_000_001);
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "local-oss-"));
      try {
        const file = path.join(folder, "file.jpg");
        fs.writeFileSync(file, contents);
        assert.equal((await client.put("file.jpg", file)).res.status, 200);
        assert.equal((await client.head("file.jpg")).res.headers["content-type"], "image/jpeg");
        await client.get("file.jpg", `${file}.copy`);
        assert.ok(fs.readFileSync(`${file}.copy`).equals(contents));
        // Of unknown length: sent in chunks.
        const stream = await client.putStream("stream", fs.createReadStream(file));
        assert.equal(stream.res.status, 200);
        const sized = await client.putStream("sized", fs.createReadStream(file), {
          contentLength: contents.length,
        });
        assert.equal(sized.res.status, 200);
        const pieces = [contents.subarray(0, 1_000_000), contents.subarray(1_000_000)];
        await client.putStream("pieces", Readable.from(pieces));
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
      for (const key of ["stream", "sized", "pieces"]) {
        assert.ok((await client.get(key)).content.equals(contents), key);
      }
      const { stream } = await client.getStream("stream");
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(contents));
    });

    test("ranges", async () => {
      await client.put("ranges", Buffer.from("0123456789"));
      for (const [range, expected] of [
        ["bytes=2-4", "234"],
        ["bytes=7-", "789"],
        ["bytes=-3", "789"],
      ]) {
        const got = await client.get("ranges", { headers: { Range: range } });
        assert.deepEqual([got.res.status, got.content.toString()], [206, expected]);
      }
      const headers = { Range: "bytes=20-30", "x-oss-range-behavior": "standard" };
      await assert.rejects(client.get("ranges", { headers }), refused(416, "InvalidRange"));
    });

    test("metadata", async () => {
      const headers = { "Cache-Control": "no-cache" };
      await client.put("metadata", Buffer.from("x"), { headers, mime: "text/x-a", meta: { colour: "blue" } });
      const head = await client.head("metadata");
      assert.deepEqual(
        [head.meta.colour, head.res.headers["content-type"], head.res.headers["cache-control"]],
        ["blue", "text/x-a", "no-cache"],
      );
    });

    test("a Content-MD5 is compared", async () => {
      const headers = { "Content-MD5": md5("x").toString("base64") };
      assert.equal((await client.put("md5", Buffer.from("x"), { headers })).res.status, 200);
      await assert.rejects(client.put("md5", Buffer.from("y"), { headers }), refused(400, "InvalidDigest"));
    });

    test("a forbidden overwrite", async () => {
      await client.put("once", Buffer.from("x"));
      const headers = { "x-oss-forbid-overwrite": "true" };
      await assert.rejects(
        client.put("once", Buffer.from("y"), { headers }),
        refused(409, "FileAlreadyExists"),
      );
    });

    test("listings", async () => {
      const keys = [];
      for (const folder of ["a", "b"]) {
        for (let number = 0; number < 5; number += 1) keys.push(`listed/${folder}/目 +${number}`);
      }
      for (const key of keys) await client.put(key, Buffer.from("hello"));
      const first = [];
      // A parameter without a value is signed and not sent by version 4.
      let next = {};
      do {
        const page = await client.list({ prefix: "listed/", "max-keys": 3, ...next });
        first.push(...page.objects.map((object) => object.name));
        next = page.nextMarker && { marker: page.nextMarker };
      } while (next);
      assert.deepEqual(first, keys);
      const second = [];
      next = {};
      do {
        const page = await client.listV2({ prefix: "listed/", "max-keys": "3", ...next });
        second.push(...page.objects.map((object) => object.name));
        next = page.nextContinuationToken && { "continuation-token": page.nextContinuationToken };
      } while (next);
      assert.deepEqual(second, keys);
      const folders = await client.listV2({ prefix: "listed/", delimiter: "/" });
      assert.deepEqual(folders.prefixes, ["listed/a/", "listed/b/"]);
    });

    test("what a bucket says of itself", async () => {
      const { bucket } = await client.getBucketInfo(BUCKET);
      assert.deepEqual([bucket.Name, bucket.Location], [BUCKET, `oss-${REGION}`]);
      assert.equal(bucket.AccessControlList.Grant, "private");
    });

    test("a callback is verified and its answer seen", async () => {
      const put = await client.put("目/a b", Buffer.from("hello"), { callback: callback("/ok%20ay?id=%31&b") });
      assert.deepEqual([put.res.status, put.data], [200, { verified: true }]);
      const { url, headers, body } = application.received.at(-1);
      // The SDK encodes the URL, which was encoded already.
      assert.equal(url, "/ok%2520ay?id=%2531&b");
      const form = Object.fromEntries(new URLSearchParams(body));
      assert.deepEqual(form, { object: "目/a b", size: "5", v: "值 1" });
      assert.equal(headers["x-oss-request-id"], put.res.headers["x-oss-request-id"]);
    });

    test("a callback of a stream", async () => {
      const stream = Readable.from([Buffer.from("hel"), Buffer.from("lo")]);
      const put = await client.putStream("stream", stream, { callback: callback("/") });
      assert.deepEqual([put.res.status, put.data], [200, { verified: true }]);
    });

    /** Sends what was signed for a host name to this machine. */
    const send = async (method, url, headers = {}, body = "") => {
      const { host, port, pathname, search } = new URL(url);
      const options = { method, host: "127.0.0.1", port, path: pathname + search, headers: { Host: host, ...headers } };
      const request = http.request(options);
      request.end(body);
      const [answer] = await once(request, "response");
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() };
    };

    /** The SDK presigns no URL for an address. */
    const presign = async (method, key, { headers = {}, queries = {}, expires = 600, callback: asked } = {}) => {
      const named = open("SK", { endpoint: program.endpoint.replace("127.0.0.1", "localhost") });
      if (version4) return named.signatureUrlV4(method, expires, { headers, queries }, key);
      return named.signatureUrl(key, { method, expires, ...headers, ...(asked && { callback: asked }), subResource: queries });
    };

    const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64");
    const parameters = ({ url, body, customValue }) => ({
      callback: base64({ callbackUrl: url, callbackBody: body }),
      "callback-var": base64({ "x:v": customValue.v }),
    });
    const placements = {
      // By version 1 the SDK itself puts it there.
      query: (asked) => (version4 ? { queries: parameters(asked) } : { callback: asked }),
      headers: (asked) => {
        const { callback: value, "callback-var": variables } = parameters(asked);
        return { headers: { "x-oss-callback": value, "x-oss-callback-var": variables } };
      },
    };

    for (const [placement, placed] of Object.entries(placements)) {
      test(`a presigned URL with its callback in the ${placement}`, async () => {
        for (const key of KEYS) {
          const options = placed(callback("/ok?id=1&b"));
          const headers = { "Content-Type": "text/x-a", ...options.headers };
          const url = await presign("PUT", key, { ...options, headers });
          const put = await send("PUT", url, headers, "hello");
          assert.deepEqual([put.status, put.text], [200, '{"verified":true}'], key);
          const { url: target, body } = application.received.at(-1);
          assert.equal(target, "/ok?id=1&b");
          assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), { object: key, size: "5", v: "值 1" });
          const got = await send("GET", await presign("GET", key));
          assert.deepEqual([got.text, got.headers["content-type"]], ["hello", "text/x-a"]);
          await client.delete(key);
        }
        const options = placed(callback("/ok"));
        const url = await presign("PUT", "mine", options);
        const before = application.received.length;
        for (const [other, headers] of [
          [url.replace("/mine", "/yours"), options.headers],
          [url.replace(/callback=[^&]*/, "callback=e30%3D"), { ...options.headers, "x-oss-callback": "e30=" }],
          [url, { ...options.headers, "Content-Type": "text/html" }],
        ]) {
          const refused = await send("PUT", other, headers, "hello");
          assert.equal(refused.status, 403);
          assert.match(refused.text, /<Code>SignatureDoesNotMatch</);
        }
        assert.equal(application.received.length, before);
        const failing = placed(callback("/404"));
        const failed = await send("PUT", await presign("PUT", "failed", failing), failing.headers, "hello");
        assert.equal(failed.status, 203);
        assert.match(failed.text, /<Message>Error status : 404\.</);
        assert.equal((await client.get("failed")).content.toString(), "hello");
        await client.delete("failed");
      });
    }

    test("a presigned URL ends", async () => {
      const url = await presign("PUT", "ends", { expires: 1 });
      let answer;
      do answer = await send("PUT", url, {}, "hello");
      while (answer.status === 200);
      assert.equal(answer.status, 403);
      assert.match(answer.text, /<Message>Request has expired\.</);
    });

    test("a form that the SDK has signed", async () => {
      const post = async (key, values = {}, policyKey = "forms/") => {
        const date = new Date();
        const basic = date.toISOString().replace(/[-:]|\.\d+/g, "");
        const fields = { "x-oss-content-type": "text/x-a", callback: parameters(callback("/ok")).callback, "x:v": "值 1" };
        if (version4) {
          fields["x-oss-signature-version"] = "OSS4-HMAC-SHA256";
          fields["x-oss-credential"] = `AK/${basic.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`;
          fields["x-oss-date"] = basic;
        }
        const conditions = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
        const policy = {
          expiration: new Date(date.getTime() + 600_000).toISOString(),
          conditions: [{ bucket: BUCKET }, ["starts-with", "$key", policyKey], ["content-length-range", 1, 5], ...conditions],
        };
        if (version4) {
          fields.policy = Buffer.from(JSON.stringify(policy)).toString("base64");
          fields["x-oss-signature"] = client.signPostObjectPolicyV4(policy, date);
        } else {
          Object.assign(fields, client.calculatePostSignature(policy));
        }
        const form = new FormData();
        for (const [name, value] of Object.entries({ key, ...fields, ...values })) form.append(name, value);
        form.append("file", new Blob(["hello"]), "目.txt");
        const answer = await fetch(`${program.endpoint}/${BUCKET}/`, { method: "POST", body: form });
        return [answer.status, await answer.text()];
      };
      assert.deepEqual(await post("forms/${filename}"), [200, '{"verified":true}']);
      const form = Object.fromEntries(new URLSearchParams(application.received.at(-1).body));
      assert.deepEqual(form, { object: "forms/目.txt", size: "5", v: "值 1" });
      assert.equal((await client.head("forms/目.txt")).res.headers["content-type"], "text/x-a");
      const before = application.received.length;
      for (const [key, values, code] of [
        ["elsewhere", {}, "AccessDenied"],
        ["forms/a", { callback: "e30=" }, "AccessDenied"],
        ["forms/a", { policy: Buffer.from("{}").toString("base64") }, "SignatureDoesNotMatch"],
      ]) {
        const [status, text] = await post(key, values);
        assert.deepEqual([status, text.match(/<Code>(.*)<\/Code>/)[1]], [403, code]);
      }
      assert.equal(application.received.length, before);
    });

    test("a multipart upload with a callback", async () => {
      const contents = crypto.randomBytes(350_001);
      const done = await client.multipartUpload("目/a +b.jpg", contents, {
        partSize: 102_400,
        parallel: 3,
        mime: "text/x-a",
        meta: { colour: "blue" },
        callback: callback("/"),
      });
      assert.deepEqual([done.res.status, done.data], [200, { verified: true }]);
      const md5s = [0, 1, 2, 3].map((part) => etag(contents.subarray(part * 102_400, (part + 1) * 102_400)).replace(/"/g, ""));
      assert.equal(done.etag, etag(md5s.join("")).replace(/"$/, '-4"'));
      const form = Object.fromEntries(new URLSearchParams(application.received.at(-1).body));
      assert.deepEqual(form, { object: "目/a +b.jpg", size: "350001", v: "值 1" });
      const head = await client.head("目/a +b.jpg");
      assert.deepEqual(
        [head.meta.colour, head.res.headers["content-type"], head.res.headers["x-oss-object-type"]],
        ["blue", "text/x-a", "Multipart"],
      );
      assert.ok((await client.get("目/a +b.jpg")).content.equals(contents));
    });

    test("a multipart upload goes on from its checkpoint", async () => {
      const contents = crypto.randomBytes(1_000_001);
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "local-oss-"));
      try {
        const file = path.join(folder, "file.jpg");
        fs.writeFileSync(file, contents);
        let checkpoint;
        const options = { partSize: 102_400, parallel: 1 };
        await assert.rejects(
          client.multipartUpload("resumed", file, {
            ...options,
            progress: (_, reached) => {
              checkpoint = JSON.parse(JSON.stringify(reached));
              if (reached.doneParts.length === 4) throw new Error("the test ends it here");
            },
          }),
          /the test ends it here/,
        );
        await assert.rejects(client.head("resumed"), refused(404, "NoSuchKey"));
        const { parts } = await client.listParts("resumed", checkpoint.uploadId);
        assert.deepEqual(
          parts.map((part) => [part.PartNumber, part.ETag, part.Size]),
          checkpoint.doneParts.map((part) => [String(part.number), part.etag, "102400"]),
        );
        const { uploads } = await client.listUploads({ prefix: "resumed", "max-uploads": 10 });
        assert.deepEqual(
          uploads.map((upload) => [upload.name, upload.uploadId]),
          [["resumed", checkpoint.uploadId]],
        );
        const reached = [];
        const done = await client.multipartUpload("resumed", file, {
          ...options,
          checkpoint,
          callback: callback("/"),
          progress: (_, now) => now && reached.push(now.doneParts.length),
        });
        assert.deepEqual([done.res.status, done.data, reached], [200, { verified: true }, [5, 6, 7, 8, 9, 10]]);
        assert.ok((await client.get("resumed")).content.equals(contents));
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });

    test("the errors of a multipart upload", async () => {
      const contents = Buffer.alloc(150_000);
      const failed = client.multipartUpload("failed", contents, { partSize: 102_400, callback: callback("/404") });
      await assert.rejects(failed, refused(203, "CallbackFailed"));
      assert.ok((await client.get("failed")).content.equals(contents));
      await client.delete("failed");

      const { uploadId } = await client.initMultipartUpload("errors");
      const part = (number, start, end) => client.uploadPart("errors", uploadId, number, contents, start, end);
      const parts = [
        { number: 1, etag: (await part(1, 0, 5)).etag },
        { number: 2, etag: (await part(2, 0, 5)).etag },
      ];
      const complete = (list) => client.completeMultipartUpload("errors", uploadId, list);
      await assert.rejects(complete(parts), refused(400, "EntityTooSmall"));
      await assert.rejects(complete([{ ...parts[0], number: 3 }]), refused(400, "InvalidPart"));
      await assert.rejects(part(10_001, 0, 5), refused(400, "InvalidArgument"));
      assert.equal((await client.abortMultipartUpload("errors", uploadId)).res.status, 204);
      await assert.rejects(client.listParts("errors", uploadId), refused(404, "NoSuchUpload"));
    });

    test("a failed callback is 203 and the object stored", async () => {
      const rude = net.createServer((socket) => socket.destroy());
      await new Promise((resolve) => rude.listen(0, "127.0.0.1", resolve));
      const closing = `http://127.0.0.1:${rude.address().port}/`;
      for (const [target, members, message] of [
        ["/404", {}, "Error status : 404."],
        ["/text", {}, "Response body is not valid json format."],
        ["/", { url: closing }, "Error status : 502."],
      ]) {
        await assert.rejects(
          client.put("failed", Buffer.from("hello"), { callback: callback(target, members) }),
          (error) => {
            assert.deepEqual([error.status, error.code], [203, "CallbackFailed"]);
            assert.ok(error.message.includes(message), error.message);
            return true;
          },
        );
        assert.equal((await client.get("failed")).content.toString(), "hello");
        await client.delete("failed");
      }
      await new Promise((resolve) => rude.close(resolve));
    });

    test("a bad callback is 400 and nothing stored", async () => {
      const headers = { "x-oss-callback": "not Base64" };
      await assert.rejects(
        client.put("bad", Buffer.from("hello"), { headers }),
        refused(400, "InvalidArgument"),
      );
      await assert.rejects(client.head("bad"), refused(404, "NoSuchKey"));
    });

    test("a wrong secret is 403 also for a large body", async () => {
      const agent = new http.Agent({ keepAlive: true });
      const stranger = open("wrong", { agent });
      for (const body of [Buffer.from(""), Buffer.alloc(20_000_000)]) {
        // The answer comes before the body has gone out.
        const sent = once(agent, "free");
        await assert.rejects(stranger.put("a", body), refused(403, "SignatureDoesNotMatch"));
        await sent;
      }
      await assert.rejects(stranger.head("a"), refused(403, "SignatureDoesNotMatch"));
    });
  });
}
