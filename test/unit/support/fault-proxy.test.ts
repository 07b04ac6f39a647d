import assert from 'node:assert/strict';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  FAULT_KINDS,
  type Fault,
  type FaultProxy,
  type FaultProxyOptions,
  berMessages,
  faultOf,
  startFaultProxy,
} from '../../support/fault-proxy.js';

/** An echo behind a proxy: what a client that sends `text` gets back, and how its connection ends. */
async function through(
  fault: Fault | null,
  text: string | Buffer,
  options: Partial<FaultProxyOptions> = {},
): Promise<{ got: string; end: string; pieces: number; took: number; seen: string; proxy: FaultProxy }> {
  let seen = '';
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (piece) => (seen += piece.toString('latin1')));
    socket.on('data', (piece) => socket.write(piece));
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const to = { host: '127.0.0.1', port: (echo.address() as AddressInfo).port };
  const proxy = await startFaultProxy({
    to,
    faults: (connection) => (fault && connection === 0 ? [fault] : []),
    ...options,
  });
  const started = Date.now();
  const client = connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true });
  let got = '';
  let pieces = 0;
  client.on('data', (piece) => {
    got += piece.toString('latin1');
    pieces += 1;
    if (got.length >= text.length) client.end();
  });
  client.write(text);
  const end = await Promise.race([ended(client), delay(700, 'nothing')]);
  const took = Date.now() - started;
  // What was passed on to the echo may be on its way still.
  await delay(30);
  client.destroy();
  await proxy.close();
  echo.close();
  return { got, end, pieces, took, seen, proxy };
}

function ended(client: Socket): Promise<string> {
  return new Promise((resolve) => {
    client.on('end', () => resolve('end'));
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
}

const up = { direction: 'up', at: { byte: 4 } } as const;

describe('the fault proxy', () => {
  it('passes everything on where nothing is to happen (the control of all below)', async () => {
    const { got, end, proxy } = await through(null, 'hello, world');
    assert.deepEqual([got, end, proxy.fired, proxy.connections], ['hello, world', 'end', [], 1]);
    assert.deepEqual(proxy.bytes, { up: 12, down: 12 });
  });

  it('cuts and resets at the byte that was asked for', async () => {
    const cut = await through({ kind: 'cut', ...up }, 'hello, world');
    assert.deepEqual([cut.seen, cut.end], ['hell', 'end']);
    const reset = await through({ kind: 'reset', ...up }, 'hello, world');
    assert.ok(reset.seen.length <= 4);
    assert.equal(reset.end, 'ECONNRESET');
    const down = await through({ kind: 'cut', direction: 'down', at: { byte: 3 } }, 'hello, world');
    assert.deepEqual([down.got, down.proxy.fired.length], ['hel', 1]);
  });

  it('half-closes: what was sent before is answered', async () => {
    const { got, end, seen } = await through({ kind: 'half-close', ...up }, 'hello, world');
    assert.deepEqual([seen, got, end], ['hell', 'hell', 'end']);
  });

  it('swallows everything, and tells nobody', async () => {
    const { seen, end } = await through({ kind: 'black-hole', ...up }, 'hello, world');
    assert.deepEqual([seen, end], ['hell', 'nothing']);
  });

  it('slices, delays and flips, and passes the rest', async () => {
    const sliced = await through({ kind: 'slice', direction: 'down', at: { byte: 0 }, size: 2 }, 'x'.repeat(64));
    assert.ok(sliced.pieces > 4, String(sliced.pieces));
    assert.equal(sliced.got, 'x'.repeat(64));
    const late = await through({ kind: 'delay', ...up, ms: 300 }, 'hello, world');
    assert.equal(late.got, 'hello, world');
    assert.ok(late.took >= 290, String(late.took));
    const flipped = await through({ kind: 'flip', ...up }, 'hello, world');
    assert.equal(flipped.got, 'hell\x7f, world');
  });

  it('strikes at a message and at a time', async () => {
    const ber = Buffer.from([0x30, 2, 1, 1, 0x30, 0x81, 3, 9, 9, 9, 0x30, 1, 7]);
    const third = await through({ kind: 'cut', direction: 'up', at: { message: 2 } }, ber, { framing: berMessages });
    assert.equal(third.seen.length, 10);
    const timed = await through({ kind: 'reset', direction: 'down', at: { ms: 100 } }, 'never enough', {
      to: { host: '127.0.0.1', port: (await silent()).port },
    });
    assert.equal(timed.end, 'ECONNRESET');
    assert.ok(timed.took >= 90 && timed.took < 600, String(timed.took));
  });

  it('makes the same fault of the same seed, and faults of every kind of many', () => {
    const range = { bytes: { up: 1000, down: 100 }, messages: 10, ms: 50 };
    const faults = Array.from({ length: 200 }, (_, seed) => faultOf(seed, range));
    assert.deepEqual(
      faults,
      Array.from({ length: 200 }, (_, seed) => faultOf(seed, range)),
    );
    assert.deepEqual(new Set(faults.map(({ kind }) => kind)), new Set(FAULT_KINDS));
    assert.equal(new Set(faults.map((fault) => JSON.stringify(fault))).size, 200);
  });
});

let quiet: Promise<{ port: number }> | undefined;

/** A server that accepts and never says anything. */
function silent(): Promise<{ port: number }> {
  quiet ??= new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    server.unref();
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port }));
  });
  return quiet;
}
