/** Who sends a request: proved by a signature, a bearer token or a client certificate, before anything of its content is read. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { sourceKey } from '../model/source-name.js';
import { field, refused, signedMessage } from './exchange.js';
import type { NonceBook } from './nonces.js';
import { ProblemError } from './problem.js';
import { Rates } from './rate.js';
import { type SenderSettings, checkSenders } from './senders.js';
import { WINDOW_S, verify } from './signature.js';

/** Who it is, and by what it was proved. */
export interface Identity {
  readonly sender: string;
  readonly proof: 'signature' | 'bearer' | 'certificate';
}

type Sender = Required<SenderSettings>;

/** So many refusals a minute are told apart and logged for one address; further ones are answered with 429. */
const REFUSALS_PER_MINUTE = 60;

export class Access {
  readonly #senders: readonly Sender[];
  readonly #byId: ReadonlyMap<string, Sender>;
  readonly #byKey: ReadonlyMap<string, Sender>;
  readonly #tokens: readonly { readonly digest: Buffer; readonly sender: Sender }[];
  readonly #rates = new Rates();
  readonly #refusals = new Rates();

  /** Throws `SettingError` for senders that cannot be used. */
  constructor(senders: readonly SenderSettings[]) {
    this.#senders = checkSenders(senders);
    this.#byId = new Map(this.#senders.map((sender) => [sender.id, sender]));
    this.#byKey = new Map(this.#senders.flatMap((sender) => sender.keys.map(({ id }) => [id, sender] as const)));
    this.#tokens = this.#senders.flatMap((sender) =>
      sender.tokens.map((token) => ({ digest: digestOf(token), sender })),
    );
  }

  /** Who sends this request. Throws `ProblemError`: not proved, a repeat, or too many requests. `path` as the sender wrote it. */
  identify(request: IncomingMessage, path: string, nonces: NonceBook): Identity {
    const { sender, proof } = this.#proved(request, path, nonces);
    const waitMs = this.#rates.take(sender.id, sender.requestsPerMinute);
    if (waitMs > 0) {
      throw new ProblemError(
        'too-many-requests',
        `This sender may make ${String(sender.requestsPerMinute)} requests a minute.`,
        { headers: retryAfter(waitMs) },
      );
    }
    return { sender: sender.id, proof };
  }

  /** Throws `ProblemError` `source-refused` where the sender may not write this source. */
  checkSource(senderId: string, source: string): void {
    const sources = this.#byId.get(senderId)?.sources ?? [];
    if (sources.length === 0 || sources.some((one) => sourceKey(one) === sourceKey(source))) return;
    throw new ProblemError('source-refused', 'Name the source in the settings of the receiver, or send another.');
  }

  /** After so many refusals of one address the next are all the same, so that nobody fills a log or learns more. */
  refusal(request: IncomingMessage, problem: ProblemError): ProblemError {
    const waitMs = this.#refusals.take(request.socket.remoteAddress ?? '', REFUSALS_PER_MINUTE);
    if (waitMs === 0) return problem;
    return new ProblemError('too-many-refusals', 'Requests that prove who sends them are still taken.', {
      headers: retryAfter(waitMs),
    });
  }

  #proved(request: IncomingMessage, path: string, nonces: NonceBook): { sender: Sender; proof: Identity['proof'] } {
    if (field(request, 'authorization') !== undefined) return { sender: this.#bearer(request), proof: 'bearer' };
    if (field(request, 'signature-input') === undefined) {
      const sender = this.#certified(request);
      if (sender) return { sender, proof: 'certificate' };
    }
    return { sender: this.#signed(request, path, nonces), proof: 'signature' };
  }

  #signed(request: IncomingMessage, path: string, nonces: NonceBook): Sender {
    const keys = this.#senders.flatMap(({ keys }) => keys);
    const verdict = verify(signedMessage(request, path), keys);
    if (!verdict.ok) throw refused(verdict.refusal);
    const sender = this.#byKey.get(verdict.keyId);
    if (!sender) throw refused('signature-refused');
    const until = Date.now() + 2 * WINDOW_S * 1000;
    if (!nonces.take({ key: verdict.keyId, nonce: verdict.nonce, until })) throw refused('signature-replayed');
    return sender;
  }

  #bearer(request: IncomingMessage): Sender {
    const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(field(request, 'authorization') ?? '')?.[1] ?? '';
    const digest = digestOf(token);
    // All are compared, each in constant time, so that the time says nothing of which came close.
    const matching = this.#tokens.filter((known) => timingSafeEqual(known.digest, digest));
    const sender = token === '' ? undefined : matching[0]?.sender;
    if (sender) return sender;
    throw new ProblemError('token-refused', 'Send a token that this receiver knows, and that has not expired.', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }

  #certified(request: IncomingMessage): Sender | undefined {
    const { socket } = request;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const { fingerprint256, subject } = socket.getPeerCertificate() as Partial<
      ReturnType<TLSSocket['getPeerCertificate']>
    >;
    if (fingerprint256 === undefined) return undefined;
    const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
    const name = typeof subject?.CN === 'string' ? `CN=${subject.CN}` : fingerprint;
    return this.#senders.find(({ certificates }) => certificates.includes(fingerprint) || certificates.includes(name));
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function retryAfter(ms: number): Record<string, string> {
  return { 'Retry-After': String(Math.ceil(ms / 1000)) };
}
