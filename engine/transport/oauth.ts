/** OAuth 2.0 client credentials (RFC 6749 section 4.4): a token for a while, fetched once for all who need it. */
import axios from 'axios';
import type https from 'node:https';
import { Type } from '@sinclair/typebox';
import { parserOf } from '../model/check.js';
import { TransportError } from '../model/errors.js';
import { Fault, networkFault, notReceiver } from './faults.js';
import { parseJson } from './json.js';

/** `scope` may be blank. The secret is sent to `tokenUrl` only. */
export interface TokenSettings {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
}

interface Token {
  readonly token: string;
  readonly expiresInS: number;
}

/** Renewed so long before it expires; one that is valid for less is used once. */
const EARLIER_S = 60;
const WITHIN_MS = 30_000;
const LARGEST_ANSWER = 64 * 1024;

/** A token that is fetched when it is needed, kept while it is valid, and fetched once however many wait for it. */
export class TokenSource {
  #token: Promise<Token> | null = null;
  #until = 0;
  #current = '';

  constructor(
    private readonly fetch: () => Promise<Token>,
    private readonly now: () => number = Date.now,
  ) {}

  async token(): Promise<string> {
    if (this.#token === null || (this.#current !== '' && this.now() >= this.#until)) {
      this.#current = '';
      this.#token = this.#fetched();
    }
    return (await this.#token).token;
  }

  /** The token was refused: the next is another. False if it was that already, or if there has not been time for another. */
  forget(token: string): boolean {
    if (token !== this.#current) return true;
    this.#token = null;
    this.#current = '';
    return true;
  }

  async #fetched(): Promise<Token> {
    try {
      const fetched = await this.fetch();
      this.#until = this.now() + Math.max(0, fetched.expiresInS - EARLIER_S) * 1000;
      this.#current = fetched.token;
      return fetched;
    } catch (error) {
      this.#token = null;
      throw error;
    }
  }
}

const parseAnswer = parserOf(
  Type.Object({
    access_token: Type.String({ minLength: 1, maxLength: 16_384, pattern: '^[A-Za-z0-9._~+/-]+=*$' }),
    token_type: Type.String({ pattern: '^[Bb]earer$' }),
    expires_in: Type.Optional(Type.Number({ minimum: 0 })),
  }),
  () => new TransportError('NOT_A_TOKEN', { message: '', status: '' }),
);

/** Fetches a token. Rejects with `Fault`. What the server answers is never shown: it may repeat what it was sent. */
export async function fetchToken(settings: TokenSettings, agent: https.Agent): Promise<Token> {
  const { tokenUrl, clientId, clientSecret, scope } = settings;
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== '' && { scope }) });
  const credentials = [clientId, clientSecret].map((part) => encodeURIComponent(part).replaceAll('%20', '+')).join(':');
  const timeout = AbortSignal.timeout(WITHIN_MS);
  const { status, data } = await axios
    .request<Buffer>({
      adapter: 'http',
      url: tokenUrl.href,
      method: 'POST',
      headers: {
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      data: Buffer.from(form.toString()),
      httpsAgent: agent,
      signal: timeout,
      proxy: false,
      maxRedirects: 0,
      maxContentLength: LARGEST_ANSWER,
      decompress: false,
      responseType: 'arraybuffer',
      validateStatus: () => true,
      transformRequest: (body: unknown) => body,
      transformResponse: (body: unknown) => body,
    })
    .catch((error: unknown) => {
      throw networkFault(error, tokenUrl.host);
    });
  if (status === 429 || status >= 500) throw new Fault(unavailable(tokenUrl.host, status), { afterMs: null });
  if (status >= 400) throw new Fault(refused(tokenUrl.host, status), null);
  try {
    const { access_token: token, expires_in: expiresInS = 0 } = parseAnswer(parseJson(data, 8));
    return { token, expiresInS };
  } catch {
    throw new Fault(notReceiver(tokenUrl.host, 'no token'), null);
  }
}

function refused(host: string, answer: number): TransportError {
  return new TransportError('TOKEN_NOT_GIVEN', {
    message: `The authorization server ${host} gives no token (${String(answer)}). Check client id, client secret and scope of the directory-endpoint.`,
    status: 'no token',
    params: { host, answer },
  });
}

function unavailable(host: string, answer: number): TransportError {
  return new TransportError('TOKEN_SERVER_UNAVAILABLE', {
    message: `The authorization server ${host} gives no token now (${String(answer)}), also when asked again.`,
    status: 'no token now',
    params: { host, answer },
    transient: true,
  });
}
