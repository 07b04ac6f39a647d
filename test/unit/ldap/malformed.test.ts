import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { disconnection, entry, message, pageEnd, result, tlv } from './ber-text.js';
import { codeOf, plainClient, readAll, readFrom, settingsFor, within, withServer, withSession } from './reading.js';
import { type Answer, BIND, behaved, person } from './scripted-server.js';

/** Answers every search with these bytes. */
function searchAnswered(bytes: (id: number) => Buffer | Buffer[]): Answer {
  return behaved(({ id }) => bytes(id));
}

/** Reads with our reader, and says how it failed. */
async function failureFor(bytes: (id: number) => Buffer | Buffer[]): Promise<{ code: string; message: string }> {
  const { failure, seal } = await readFrom(searchAnswered(bytes));
  assert.equal(seal.complete, false);
  return { code: failure?.code ?? 'none', message: failure?.message ?? '' };
}

/** What plain ldapts does with the same bytes in half a second. */
function plainSearch(bytes: (id: number) => Buffer | Buffer[]): Promise<string> {
  return withServer(searchAnswered(bytes), async ({ port }) => {
    const client = await plainClient(port);
    return within(500, client.search('DC=example,DC=test', { filter: '(mail=*)' }));
  });
}

/** An entry of 26 bytes whose set of values claims 127 bytes and has 4 (hazard L9). */
function shortEntry(id: number): Buffer {
  return Buffer.from([
    ...[0x30, 24, 0x02, 1, id, 0x64, 19, 0x04, 4, 0x63, 0x6e, 0x3d, 0x78],
    ...[0x30, 11, 0x30, 9, 0x04, 1, 0x61, 0x31, 127, 0x04, 2, 0x62, 0x63],
  ]);
}

describe('malformed replies', () => {
  const idZero = (id: number) => [message(0, tlv(0x64, tlv(4, 'CN=x'), tlv(0x30))), person(id, 1), pageEnd(id, '')];

  it('L7: a message with id 0 ends the connection', async () => {
    const { code, message: text } = await failureFor(idZero);
    assert.equal(code, 'MALFORMED_REPLY');
    assert.match(text, /message id 0/);
  });

  it('L7, negative control: plain ldapts drops what came with it and hangs', async () => {
    // What it reads as id 0 it cannot tell from a broken one: the rest of the chunk is lost.
    const unknown = (id: number) => [message(0, tlv(0x7f, tlv(4, 'x'))), person(id, 1), result(id, 0x65, 0)];
    assert.equal(await plainSearch(unknown), 'hangs');
    assert.equal((await failureFor(unknown)).code, 'MALFORMED_REPLY');
  });

  const indefinite = (id: number) => [Buffer.from([0x30, 0x80, 0x02, 1, id, 0x65, 0, 0, 0]), pageEnd(id, '')];
  const negative = (id: number) => [
    Buffer.from([0x30, 0x84, 0x80, 0, 0, 9, 0x02, 1, id, 0x65, 0, 0, 0, 0, 0]),
    pageEnd(id, ''),
  ];

  it('L8: an indefinite length and one with its highest bit set end the connection', async () => {
    assert.equal((await failureFor(indefinite)).code, 'MALFORMED_REPLY');
    assert.equal((await failureFor(negative)).code, 'MESSAGE_TOO_LARGE');
  });

  it('L8, negative control: plain ldapts hangs on both', async () => {
    assert.equal(await plainSearch(indefinite), 'hangs');
    assert.equal(await plainSearch(negative), 'hangs');
  });

  it('L9: an entry whose values claim more than is there ends the connection', async () => {
    assert.equal(shortEntry(7).length, 26);
    const { code, message: text } = await failureFor((id) => [shortEntry(id), pageEnd(id, '')]);
    assert.equal(code, 'MALFORMED_REPLY');
    assert.match(text, /values of an attribute is longer than what it is in/);
  });

  it('L9, negative control: plain ldapts blocks its process for good', async () => {
    await withServer(
      searchAnswered((id) => [shortEntry(id), result(id, 0x65, 0)]),
      async ({ port }) => {
        const program = `
          const { Client } = require('ldapts');
          const client = new Client({ url: 'ldap://127.0.0.1:${port}', timeout: 300 });
          client.bind('CN=x', 'y').then(() => {
            setTimeout(() => process.exit(3), 1500);
            client.search('DC=example,DC=test').then(() => process.exit(4), () => process.exit(5));
          });`;
        const child = spawn(process.execPath, ['-e', program], { cwd: __dirname, stdio: 'ignore' });
        const timer = setTimeout(() => child.kill('SIGKILL'), 2_500);
        const [exitCode, signal] = (await once(child, 'exit')) as [number | null, string | null];
        clearTimeout(timer);
        // Neither its own time limit nor a timer ever ran.
        assert.deepEqual([exitCode, signal], [null, 'SIGKILL']);
      },
    );
  }).timeout(10_000);

  it('L11: 3,000 mutants of a reply: no freeze, nothing uncaught, no complete read without its end', async () => {
    const random = generator(4711);
    let longest = 0;
    const codes = new Set<string>();
    let mutant: Buffer | null = null;
    await withServer(
      behaved(({ id }, socket) => {
        const bytes = [person(id, 1), entry(id, 'CN=ü', [['mail', ['ü', 'x']]]), pageEnd(id, '')];
        mutant ??= mutate(Buffer.concat(bytes), random);
        // The end of the connection: what is only cut would be waited for.
        socket.end(mutant);
        return undefined;
      }),
      async ({ port }) => {
        const read = async () => {
          const before = process.cpuUsage();
          const { seal, failure } = await readAll(settingsFor(port));
          // Time of the processor, because a busy machine may let us wait.
          const took = process.cpuUsage(before).user / 1_000;
          assert.equal(seal.complete, failure === null);
          codes.add(failure?.code ?? 'none');
          return took;
        };
        for (let count = 0; count < 3_000; count += 1) {
          mutant = null;
          let took = await read();
          // A mutant that freezes us does it every time; garbage of the tests before is collected once.
          if (took >= 100) took = Math.min(await read(), await read());
          longest = Math.max(longest, took);
        }
      },
    );
    assert.ok(!codes.has('UNEXPECTED') && codes.has('MALFORMED_REPLY'), [...codes].join(' '));
    assert.ok(longest < 100, `one reply took ${longest} ms`);
  }).timeout(60_000);

  it('L18: a bind answered with a search result is malformed', async () => {
    const answer: Answer = ({ id }) => result(id, 0x65, 0);
    const { failure } = await readFrom(answer);
    assert.equal(failure?.code, 'MALFORMED_REPLY');
    assert.match(failure.message, /operation 0x65 as the answer to 0x60/);
  });

  it('L18, negative control: plain ldapts takes it for a successful bind', async () => {
    await withServer(
      ({ id }) => result(id, 0x65, 0),
      async ({ port }) => {
        const client = await plainClient(port);
        assert.equal(client.isBound, true);
        await client.unbind();
      },
    );
  });

  it('L19: a notice of disconnection is told with its code', async () => {
    const { code, message: text } = await failureFor((id) => [person(id, 1), disconnection(52, 'shutting down')]);
    assert.equal(code, 'DISCONNECTED_BY_SERVER');
    assert.match(text, /code 52/);
  });

  it('L19, negative control: plain ldapts ignores it and waits', async () => {
    assert.equal(await plainSearch((id) => [person(id, 1), disconnection(52, 'shutting down')]), 'hangs');
  });

  it('an answer to a request that was not made is malformed', async () => {
    assert.match((await failureFor((id) => person(id + 5, 1))).message, /was not asked/);
  });

  it('an answer after the end of the search is malformed', async () => {
    const { failure } = await readFrom(searchAnswered((id) => [person(id, 1), pageEnd(id, ''), person(id, 2)]));
    assert.equal(failure?.code, 'MALFORMED_REPLY');
  });

  it('every reply cut short and closed is incomplete; every byte of it', async () => {
    const whole = (id: number) => Buffer.concat([person(id, 1), person(id, 2), pageEnd(id, '')]);
    const { length } = whole(7);
    for (let cut = 0; cut < length; cut += 1) {
      const { seal, failure } = await readFrom(
        behaved(({ id }, socket) => {
          socket.end(whole(id).subarray(0, cut));
          return undefined;
        }),
      );
      assert.equal(seal.complete, false, `cut at byte ${cut}`);
      assert.equal(failure?.code, 'CONNECTION_LOST');
    }
  }).timeout(60_000);

  it('L25: a message larger than the setting is refused by its header alone', async () => {
    const { failure } = await readFrom(
      searchAnswered(() => Buffer.from([0x30, 0x84, 0x10, 0, 0, 0])),
      { maxMessageBytes: 1024 * 1024 },
    );
    assert.equal(failure?.code, 'MESSAGE_TOO_LARGE');
    assert.match(failure.message, /"maxMessageBytes"/);
  });

  it('L25: a large value in small pieces costs no repeated copying; plain ldapts costs many times as much', async () => {
    const value = Buffer.alloc(20 * 1024 * 1024, 'x');
    const made = new Map<number, Buffer>();
    const large = (id: number) => made.get(id) ?? entry(id, 'CN=x', [['description', [value]]]);
    for (const id of [2, 3, 4, 5]) made.set(id, large(id));
    await withServer(
      behaved(({ id, cookie }, socket) => {
        socket.write(large(id));
        return cookie === null ? result(id, 0x65, 0) : pageEnd(id, '');
      }),
      async ({ port }) => {
        const started = performance.now();
        const { seal } = await readAll(settingsFor(port), { attributes: ['description'] });
        const ours = performance.now() - started;
        assert.equal(seal.complete, true);
        const client = await plainClient(port);
        const startedPlain = performance.now();
        await client.search('DC=example,DC=test', { filter: '(mail=*)' });
        const theirs = performance.now() - startedPlain;
        await client.unbind();
        assert.ok(ours * 2 < theirs, `ours ${ours} ms, theirs ${theirs} ms`);
      },
    );
  }).timeout(30_000);

  it('a bind that is answered with rubbish fails at once and is not tried again', async () => {
    await withServer(
      ({ operation }) => (operation === BIND ? Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') : undefined),
      async ({ port, requests }) => {
        assert.equal(await codeOf(withSession(settingsFor(port), () => Promise.resolve())), 'MALFORMED_REPLY');
        assert.equal(requests.length, 1);
      },
    );
  });
});

/** A small generator of pseudo-random numbers (mulberry32), so that a failure can be had again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const mutant = Buffer.from(bytes);
  for (let changes = 1 + random(3); changes > 0; changes -= 1) mutant[random(mutant.length)] = random(256);
  return random(4) === 0 ? mutant.subarray(0, random(mutant.length)) : mutant;
}
