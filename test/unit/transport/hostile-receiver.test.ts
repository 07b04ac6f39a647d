import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { inspect } from 'node:util';
import axios from 'axios';
import { DirectorySyncError, StoppedError } from '../../../engine/model/errors.js';
import { retryAfter } from '../../../engine/transport/client.js';
import { createSender } from '../../../engine/transport/sender.js';
import { contentDigest } from '../../../engine/transport/signature.js';
import { withServer } from './asking.js';
import {
  KEY,
  signedWith,
  batchesOf,
  endpointOf,
  people,
  runOf,
  sealOf,
  sharedCertificates,
  withReceiver,
} from './support.js';

type Handle = (request: IncomingMessage, response: ServerResponse, requests: number) => void;

const never = new AbortController().signal;

/** Opens a run at a server that answers so, and gives the error and how many requests it saw. */
async function opening(handle: Handle, deadlineMs = 3000): Promise<{ error: DirectorySyncError; requests: number }> {
  const { ca } = await sharedCertificates();
  let requests = 0;
  let error: unknown;
  const count = (request: IncomingMessage, response: ServerResponse) => handle(request, response, (requests += 1));
  await withServer({}, count, async (port) => {
    const sender = createSender(endpointOf(port, { ca }, { deadlineMs }), never);
    error = await sender.open(runOf('hostile-02')).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    sender.close();
  });
  assert.ok(error instanceof DirectorySyncError, inspect(error));
  return { error, requests };
}

/** What plain axios makes of the same server. */
async function plain(handle: Handle): Promise<{ status: number; data: unknown }> {
  const { ca } = await sharedCertificates();
  const data: { status: number; data: unknown }[] = [];
  await withServer(
    {},
    (request, response) => handle(request, response, 1),
    async (port) => {
      const httpsAgent = new https.Agent({ ca });
      data.push(await axios.post(`https://127.0.0.1:${String(port)}/`, { secret: true }, { httpsAgent, proxy: false }));
    },
  );
  return data[0] ?? assert.fail();
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Digest': contentDigest(content),
    ...headers,
  });
  response.end(content);
}

const limits = { batchBytes: 1, compressedBytes: 1, recordBytes: 1, records: 1, batches: 1 };
const opened = { run: 'hostile-02', state: 'open', token: null, limits };

describe('receivers that are none', () => {
  it('control: the right answer is taken', async () => {
    const { ca } = await sharedCertificates();
    await withServer(
      {},
      (_, response) => json(response, 201, opened),
      async (port) => {
        const sender = createSender(endpointOf(port, { ca }), never);
        await sender.open(runOf('hostile-02'));
        sender.close();
      },
    );
  });

  it('a log-on page in HTML is not taken for success', async () => {
    const page: Handle = (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Log on</p>');
    const { error, requests } = await opening(page);
    assert.equal(error.code, 'NOT_A_RECEIVER');
    assert.match(error.message, /text\/html.*URL of the directory-endpoint/);
    assert.equal(requests, 1);
    // The control: axios alone says that all is well.
    assert.equal((await plain(page)).status, 200);
  });

  it('JSON that is cut, of another shape, or not what its digest says is not taken for success', async () => {
    const cut: Handle = (_, response) => json(response, 200, '{"run":"hostile-02","state":"op');
    assert.equal((await opening(cut)).error.code, 'NOT_A_RECEIVER');
    assert.equal(typeof (await plain(cut)).data, 'string', 'axios alone gives a string and no error');
    assert.equal((await opening((_, response) => json(response, 200, { ok: true }))).error.code, 'NOT_A_RECEIVER');
    const proto: Handle = (_, response) => json(response, 200, '{"__proto__":{}}');
    assert.equal((await opening(proto)).error.code, 'NOT_A_RECEIVER');
    const digest = { 'Content-Digest': contentDigest(Buffer.from('other')) };
    assert.equal((await opening((_, response) => json(response, 200, opened, digest))).error.code, 'NOT_A_RECEIVER');
    assert.equal((await opening((_, response) => response.writeHead(404).end())).error.code, 'NOT_A_RECEIVER');
  });

  it('a redirect is refused: the run and its signature go nowhere else', async () => {
    const seen: string[] = [];
    const { ca } = await sharedCertificates();
    const thief = (request: IncomingMessage, response: ServerResponse) => {
      request.on('data', (piece: Buffer) => seen.push(piece.toString()));
      request.on('end', () => json(response, 201, opened));
    };
    await withServer({}, thief, async (port) => {
      const away: Handle = (_, response) =>
        response.writeHead(307, { Location: `https://127.0.0.1:${String(port)}/` }).end();
      const { error } = await opening(away);
      assert.equal(error.code, 'REDIRECTED');
      assert.deepEqual(seen, []);
      // The control: axios alone hands the body to whoever the redirect names.
      await withServer(
        {},
        (request, response) => away(request, response, 1),
        async (first) => {
          const httpsAgent = new https.Agent({ ca });
          await axios.post(`https://127.0.0.1:${String(first)}/`, { secret: true }, { httpsAgent, proxy: false });
        },
      );
      assert.deepEqual(seen, ['{"secret":true}']);
    });
  });

  it('an answer that is too large is not read to its end', async () => {
    let sent = 0;
    const flood: Handle = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const piece = Buffer.alloc(1024 * 1024, ' ');
      const write = () => {
        while (!response.destroyed && sent < 400) {
          sent += 1;
          if (!response.write(piece)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    };
    const { error } = await opening(flood);
    assert.equal(error.code, 'ANSWER_TOO_LARGE');
    assert.ok(sent < 64, `${String(sent)} MiB were sent`);
  });

  it('an answer that drips for ever ends at the deadline', async () => {
    const drip: Handle = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    };
    const began = Date.now();
    const { error } = await opening(drip, 600);
    assert.equal(error.code, 'DEADLINE_PASSED');
    assert.ok(Date.now() - began < 2000);
  });

  it('proxies of the environment are not used', async () => {
    const before = process.env['HTTPS_PROXY'];
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
    try {
      const { error } = await opening((_, response) => response.writeHead(404).end());
      assert.equal(error.code, 'NOT_A_RECEIVER', 'the server itself was asked');
    } finally {
      if (before === undefined) delete process.env['HTTPS_PROXY'];
      else process.env['HTTPS_PROXY'] = before;
    }
  });
});

describe('requests that fail for a while', () => {
  it('are repeated on 408, 425, 429, 5xx and a cut connection, and no others', async () => {
    const { ca } = await sharedCertificates();
    for (const status of [408, 425, 429, 500, 502, 503, 504, 0]) {
      let requests = 0;
      const flaky = (request: IncomingMessage, response: ServerResponse) => {
        requests += 1;
        if (requests > 2) json(response, 201, opened);
        else if (status === 0) request.socket.destroy();
        else response.writeHead(status, { 'Content-Type': 'text/html', 'Retry-After': '0' }).end('<p>later</p>');
      };
      await withServer({}, flaky, async (port) => {
        const sender = createSender(endpointOf(port, { ca }), never);
        await sender.open(runOf('hostile-02'));
        sender.close();
      });
      assert.equal(requests, 3, String(status));
    }
    for (const status of [400, 401, 403, 404, 409, 410, 413, 422]) {
      const { requests } = await opening((_, response) => response.writeHead(status).end());
      assert.equal(requests, 1, String(status));
    }
  });

  it('wait as long as Retry-After says, or give up at once where that is too long', async () => {
    const { ca } = await sharedCertificates();
    const times: number[] = [];
    const busy = (_: IncomingMessage, response: ServerResponse) => {
      times.push(Date.now());
      if (times.length > 1) json(response, 201, opened);
      else response.writeHead(503, { 'Retry-After': '1' }).end();
    };
    await withServer({}, busy, async (port) => {
      const sender = createSender(endpointOf(port, { ca }), never);
      await sender.open(runOf('hostile-02'));
      sender.close();
    });
    const [first = 0, second = 0] = times;
    assert.ok(second - first >= 990, `${String(second - first)} ms`);

    const began = Date.now();
    const { error, requests } = await opening((_, response) => response.writeHead(503, { 'Retry-After': '600' }).end());
    assert.deepEqual([error.code, error.transient, requests], ['RECEIVER_UNAVAILABLE', true, 1]);
    assert.ok(Date.now() - began < 2000);
  });

  it('read Retry-After in both its forms', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    assert.equal(retryAfter('120', now), 120_000);
    assert.equal(retryAfter('Thu, 01 Jan 2026 00:02:00 GMT', now), 120_000);
    assert.equal(retryAfter('Wed, 31 Dec 2025 23:00:00 GMT', now), 0);
    assert.equal(retryAfter('99999999', now), 3_600_000, 'an hour at most');
    assert.equal(retryAfter('soon', now), null);
    assert.equal(retryAfter(undefined, now), null);
  });

  it('end soon, with a clear error, where nothing listens or the name is unknown', async () => {
    const { ca } = await sharedCertificates();
    for (const [url, code, transient] of [
      ['https://127.0.0.1:1/directory-sync', 'CONNECTION_REFUSED', true],
      ['https://nobody.invalid/directory-sync', 'HOST_NOT_FOUND', false],
    ] as const) {
      const sender = createSender(endpointOf(1, { ca }, { url }), never);
      const began = Date.now();
      await assert.rejects(sender.open(runOf('hostile-02')), (error: DirectorySyncError) => {
        if (error.code === 'HOST_NOT_FOUND') return true;
        assert.deepEqual([error.code, error.transient], [code, transient]);
        assert.match(error.message, /directory-endpoint/);
        return true;
      });
      assert.ok(Date.now() - began < 8000);
      sender.close();
    }
  });

  it('stop at once when the run is stopped, also in the middle of a pause', async () => {
    const { ca } = await sharedCertificates();
    const stop = new AbortController();
    await withServer(
      {},
      (_, response) => response.writeHead(503, { 'Retry-After': '5' }).end(),
      async (port) => {
        const sender = createSender(endpointOf(port, { ca }, { deadlineMs: 60_000 }), stop.signal);
        const began = Date.now();
        setTimeout(() => stop.abort(), 200);
        await assert.rejects(sender.open(runOf('hostile-02')), StoppedError);
        assert.ok(Date.now() - began < 1500);
        sender.close();
      },
    );
  });
});

describe('errors of the sender', () => {
  it('say what to do, and hold neither the key nor anybody’s data', async () => {
    await withReceiver({}, async ({ endpoint }) => {
      const wrong = { ...endpoint, proof: signedWith({ id: KEY.id, key: 'canary-key-canary-key-canary-key-1234' }) };
      const sender = createSender(wrong, never);
      const error: unknown = await sender.open(runOf('secret-run')).catch((thrown: unknown) => thrown);
      sender.close();
      assert.ok(error instanceof DirectorySyncError);
      assert.equal(error.code, 'KEY_REFUSED');
      assert.match(error.message, /same key id and key/);
      assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes('canary'));

      const good = createSender(endpoint, never);
      await good.open(runOf('secret-run'));
      const batches = batchesOf(people(2), 1);
      await good.send(0, batches[0] ?? []);
      const again = createSender(endpoint, never);
      await again.open(runOf('secret-run'));
      const [refused] = await again.send(0, batches[1] ?? []);
      again.close();
      const conflict = refused?.error ?? assert.fail('refused');
      assert.equal(conflict.code, 'BATCH_REFUSED');
      assert.equal(conflict.params['problem'], 'batch-differs');
      assert.ok(!inspect(conflict, { depth: 20, showHidden: true }).includes('person.00000'));
      assert.ok(!inspect(conflict, { depth: 20, showHidden: true }).includes(KEY.key));
      good.close();
    });
  });

  it('would hold both: an error of axios', async () => {
    const error: unknown = await axios
      .post('https://127.0.0.1:1/', { person: 'somebody' }, { headers: { 'X-Key': 'canary' }, proxy: false })
      .catch((thrown: unknown) => thrown);
    assert.match(inspect(error, { depth: 5 }), /canary[^]*somebody|somebody[^]*canary/);
  });

  it('refuse a seal over batches that were not stored', async () => {
    await withReceiver({}, async ({ endpoint, received }) => {
      const sender = createSender(endpoint, never);
      const batches = batchesOf(people(4), 2);
      await sender.open(runOf('too-soon-1'));
      await sender.send(1, batches[1] ?? []);
      await assert.rejects(sender.seal(sealOf(batches)), { code: 'SEALED_TOO_SOON' });
      assert.equal(received.length, 0);
      // An incomplete run may have gaps: it adds, and removes nothing.
      const incomplete = { complete: false, incomplete: [{ code: 'BATCH_MISSING', message: 'one of two' }] };
      const report = await sender.seal(sealOf(batches, incomplete));
      assert.equal(report.complete, false);
      // Handed over without the gap: the next node waits for no batch that never comes.
      assert.deepEqual([received[0]?.indexes, received[0]?.seal.batches], [[0], 1]);
      sender.close();
    });
  });

  it('refuse URLs and keys that cannot be used, before anything is sent', () => {
    const { endpoint } = { endpoint: endpointOf(1, { ca: '' }) };
    for (const url of [
      'http://127.0.0.1/directory-sync',
      'https://user:canary@127.0.0.1/',
      'https://127.0.0.1/?x=1',
      'https://127.0.0.1/#x',
      'data:text/plain,x',
      'nonsense',
    ]) {
      assert.throws(
        () => createSender({ ...endpoint, url }, never),
        (error: DirectorySyncError) => {
          assert.ok(!error.message.includes('canary'));
          return error.code === 'URL_NOT_VALID';
        },
      );
    }
    assert.throws(() => createSender({ ...endpoint, proof: signedWith({ id: 'site-1', key: 'short' }) }, never), {
      code: 'KEY_TOO_SHORT',
    });
    assert.throws(() => createSender({ ...endpoint, proof: signedWith({ id: 'a"b', key: KEY.key }) }, never), {
      code: 'KEY_ID_NOT_VALID',
    });
  });
});
