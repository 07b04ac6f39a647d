import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type SignedMessage,
  contentDigest,
  digestMatches,
  hmacSha256,
  sign,
  signatureBase,
  verify,
} from '../../../engine/transport/signature.js';
import { parseByteSequences, parseInnerLists, writeString } from '../../../engine/transport/structured-fields.js';

const key = { id: 'site-1', key: 'a shared key of 32 characters, at least' };
const content = Buffer.from('{"kind":"user"}\n');

function message(over: Partial<SignedMessage> = {}): SignedMessage {
  const fields = new Map([
    ['content-digest', contentDigest(content)],
    ['content-type', 'application/x-ndjson'],
    ['content-encoding', 'gzip'],
  ]);
  return {
    method: 'PUT',
    authority: 'receiver.example:8443',
    path: '/directory-sync/v1/runs/r/batches/0',
    fields,
    ...over,
  };
}

function signed(over: Partial<SignedMessage> = {}, now?: number): SignedMessage {
  const unsigned = message(over);
  return withFields(unsigned, sign(unsigned, key, now));
}

function withFields(of: SignedMessage, fields: Record<string, string>): SignedMessage {
  const lower = Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { ...of, fields: new Map([...of.fields, ...lower]) };
}

describe('HTTP message signatures', () => {
  it('give the signature of RFC 9421, appendix B.2.5', () => {
    const vector: SignedMessage = {
      method: 'POST',
      authority: 'example.com',
      path: '/foo',
      fields: new Map([
        ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['content-type', 'application/json'],
      ]),
    };
    const input = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"';
    const base = signatureBase(vector, ['date', '@authority', 'content-type'], input);
    assert.equal(
      base,
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@authority": example.com',
        '"content-type": application/json',
        `"@signature-params": ${input}`,
      ].join('\n'),
    );
    const secret = Buffer.from(
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
      'base64',
    );
    assert.equal(hmacSha256(secret, base).toString('base64'), 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=');
  });

  it('give the digest of RFC 9530, appendix B.1', () => {
    const json = Buffer.from('{"hello": "world"}\n');
    assert.equal(contentDigest(json), 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:');
    assert.ok(digestMatches(contentDigest(json), json));
  });

  it('are accepted as made, and name the key and the nonce', () => {
    const verdict = verify(signed(), [{ id: 'other', key: 'x'.repeat(32) }, key]);
    assert.ok(verdict.ok);
    assert.equal(verdict.keyId, 'site-1');
    assert.match(verdict.nonce, /^[\w-]{24}$/);
  });

  it('are refused when anything covered was changed', () => {
    const original = signed();
    const changed: Record<string, SignedMessage> = {
      method: { ...original, method: 'POST' },
      authority: { ...original, authority: 'elsewhere.example:8443' },
      path: { ...original, path: '/directory-sync/v1/runs/r/batches/1' },
      digest: withFields(original, { 'content-digest': contentDigest(Buffer.from('{}\n')) }),
      type: withFields(original, { 'content-type': 'application/json' }),
      encoding: withFields(original, { 'content-encoding': 'br' }),
    };
    for (const [what, forged] of Object.entries(changed)) {
      assert.deepEqual(verify(forged, [key]), { ok: false, refusal: 'signature-refused' }, what);
    }
    // The control: nothing but the change is why.
    assert.ok(verify(original, [key]).ok);
  });

  it('are refused when they cover less than they must', () => {
    const bare = message();
    const input = (covered: string) =>
      `(${covered});created=${String(Math.floor(Date.now() / 1000))};nonce="0123456789abcdefghij";keyid="site-1";tag="dirflow-v1"`;
    const made = (components: readonly string[]) => {
      const text = input(components.map(writeString).join(' '));
      const base = signatureBase(bare, components, text) ?? '';
      return withFields(bare, {
        'signature-input': `own=${text}`,
        signature: `own=:${hmacSha256(key.key, base).toString('base64')}:`,
      });
    };
    const all = ['@method', '@authority', '@path', 'content-digest', 'content-type', 'content-encoding'];
    assert.ok(verify(made(all), [key]).ok, 'control: a signature made by hand that covers all is accepted');
    for (const left of all) {
      assert.equal(verify(made(all.filter((component) => component !== left)), [key]).ok, false, `without ${left}`);
    }
  });

  it('are refused when content is added to a request that was signed without', () => {
    const bare = message({ method: 'GET', fields: new Map() });
    const original = withFields(bare, sign(bare, key));
    assert.ok(verify(original, [key]).ok);
    assert.equal(verify(withFields(original, { 'content-type': 'application/json' }), [key]).ok, false);
  });

  it('are refused five minutes before and after, and accepted just within', () => {
    const now = Date.now();
    for (const [seconds, ok] of [
      [-302, false],
      [-298, true],
      [298, true],
      [302, false],
    ] as const) {
      const verdict = verify(signed({}, now + seconds * 1000), [key], now);
      assert.deepEqual(verdict.ok ? 'ok' : verdict.refusal, ok ? 'ok' : 'signature-stale', `${String(seconds)} s`);
    }
  });

  it('do not say that they are stale to somebody without the key', () => {
    const old = signed({}, Date.now() - 3_600_000);
    const verdict = verify(old, [{ id: 'site-1', key: 'another key of more than 32 characters' }]);
    assert.deepEqual(verdict, { ok: false, refusal: 'signature-refused' });
  });

  it('are refused, and nothing throws, whatever the fields hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (input, signature) => {
        const forged = withFields(message(), { 'signature-input': input, signature });
        return !verify(forged, [key]).ok && !digestMatches(input, content);
      }),
      { numRuns: 500 },
    );
  });

  it('are refused when one byte of the fields is another', () => {
    const original = signed();
    const fields = ['signature-input', 'signature'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.nat(400), fc.integer({ min: 0x20, max: 0x7e }), (name, at, byte) => {
        const value = original.fields.get(name) ?? '';
        const index = at % value.length;
        const other = value.slice(0, index) + String.fromCharCode(byte) + value.slice(index + 1);
        return other === value || !verify(withFields(original, { [name]: other }), [key]).ok;
      }),
      { numRuns: 1000 },
    );
  });
});

describe('structured fields', () => {
  it('are read as RFC 8941 writes them', () => {
    const lists = parseInnerLists('a=("x" "y \\"z\\"");created=12;tag="t", b=();n=-1');
    assert.deepEqual(lists?.get('a')?.items, ['x', 'y "z"']);
    assert.deepEqual(lists.get('a')?.parameters.get('created'), 12);
    assert.equal(lists.get('a')?.text, '("x" "y \\"z\\"");created=12;tag="t"');
    assert.deepEqual(lists.get('b')?.parameters.get('n'), -1);
    assert.deepEqual(parseByteSequences('sha-256=:AQI=:, md5=:AA==:')?.get('sha-256'), Buffer.from([1, 2]));
  });

  it('are null where they are not well-formed or say a thing twice', () => {
    const bad = [
      '',
      'a',
      'a=',
      'a=(',
      'a=("x"',
      'a=("x"y)',
      'a=(1)',
      'a=();p',
      'a=();p=1;p=1',
      'a=(), a=()',
      'A=()',
      'a=(),',
    ];
    for (const field of bad) assert.equal(parseInnerLists(field), null, field);
    for (const field of ['a=:AQI:', 'a=:AQJ=:', 'a=:A:', 'a="x"', 'a=:AQI=', 'a=::x']) {
      assert.equal(parseByteSequences(field), null, field);
    }
  });
});
