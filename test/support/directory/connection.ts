/** One client's connection: takes its messages apart, answers them, remembers who is bound. */
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import * as tls from 'node:tls';
import { BerError } from './ber.js';
import { type Identity, authenticate } from './bind.js';
import { parseSearchControls, unsupportedControl } from './controls.js';
import { Cookies } from './cookies.js';
import { Frames } from './frames.js';
import {
  Answer,
  type Message,
  type Request,
  type Result,
  ResultCode,
  decodeMessage,
  encodeMessage,
  extendedAnswer,
  resultParts,
} from './message.js';
import * as refusals from './refusals.js';
import { ExtensionOid } from './rootdse.js';
import { type SearchEnd, answerSearch } from './search.js';
import type { ServerState } from './state.js';
import { type Operation, operationOf } from './transcript.js';

type Of<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;

const CHUNK = 64 * 1024;

export class Connection {
  #identity: Identity | null = null;
  #upgrading = false;
  #received = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #frames = new Frames();
  readonly #cookies: Cookies;
  readonly #searches = new Map<number, AbortController>();

  constructor(
    private socket: Socket,
    private readonly number: number,
    private readonly state: ServerState,
  ) {
    this.#cookies = new Cookies(state.discards);
    // Answers are whole when they are written: waiting for more would only delay them.
    socket.setNoDelay(true);
    this.#listen();
  }

  destroy(): void {
    this.socket.destroy();
  }

  get #encrypted(): boolean {
    return this.socket instanceof tls.TLSSocket;
  }

  #listen(): void {
    this.socket.on('data', (data) => this.#take(data));
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      for (const search of this.#searches.values()) search.abort();
    });
  }

  #take(data: Buffer): void {
    this.#frames.add(data);
    try {
      while (!this.#upgrading) {
        const content = this.#frames.next();
        if (!content) return;
        this.#receive(decodeMessage(content));
      }
    } catch (error) {
      if (!isMalformed(error)) throw error;
      this.#endWithNotice(refusals.malformed());
    }
  }

  #receive(message: Message): void {
    this.#received += 1;
    const operation = operationOf(message, {
      connection: this.number,
      encrypted: this.#encrypted,
      boundAs: this.#identity?.authzId ?? '',
    });
    this.state.transcript.push(operation);
    const { silentAfter } = this.state.quirks;
    if (silentAfter !== null && this.#received > silentAfter) return;
    const answer = (tag: number, result: Result) => {
      operation.result = result.code;
      this.#send(encodeMessage(message.id, tag, resultParts(result)));
    };
    const { request } = message;
    const critical = unsupportedControl(message.controls);
    switch (request.kind) {
      case 'unbind':
        this.socket.end();
        return;
      case 'abandon':
        this.#searches.get(request.target)?.abort();
        return;
      case 'bind':
        answer(Answer.bind, critical ? refusals.controlUnknown() : this.#bind(request));
        return;
      case 'extended':
        this.#extended(message.id, request, operation);
        return;
      case 'other':
        answer(request.answer, refusals.unwilling(`${request.name} is not done here`));
        return;
      case 'search':
        if (critical) answer(Answer.done, refusals.controlUnknown());
        else if (!this.#identity && !(request.base === '' && request.scope === 'base')) {
          answer(Answer.done, refusals.bindFirst());
        } else void this.#search(message, request, operation);
    }
  }

  #bind({ version, name, password }: Of<'bind'>): Result {
    this.#identity = null;
    const { quirks, store, forest, controller, users } = this.state;
    if (version !== 3) return { code: ResultCode.protocolError, diagnostic: 'Only version 3 is spoken here.' };
    if (password === null) return { code: ResultCode.authMethodNotSupported };
    // An empty password asks for no identity, whatever the name (RFC 4513 section 5.1.2): so does Windows by default.
    if (password === '') return { code: ResultCode.success };
    if (quirks.requireEncryption && !this.#encrypted) return refusals.encryptionRequired();
    if (quirks.bindDataCode !== null) return refusals.badCredentials(quirks.bindDataCode);
    const identity = authenticate(name, password, {
      store,
      domains: forest.domains,
      home: controller.domain,
      users,
    });
    if (typeof identity === 'string') return refusals.badCredentials(identity);
    this.#identity = identity;
    return { code: ResultCode.success };
  }

  #extended(id: number, { oid }: Of<'extended'>, operation: Operation): void {
    const answer = (result: Result, name: string | null, value: string | null) => {
      operation.result = result.code;
      this.#send(extendedAnswer(id, result, name, value));
    };
    if (oid === ExtensionOid.whoAmI) {
      answer({ code: ResultCode.success }, null, this.state.whoIs(this.#identity));
    } else if (oid !== ExtensionOid.startTls) {
      answer(refusals.unknownExtension(), null, null);
    } else if (this.#encrypted || this.#searches.size > 0) {
      answer(refusals.tlsActive(), oid, null);
    } else if (!this.state.tls) {
      answer(refusals.tlsUnavailable(), oid, null);
    } else {
      this.#upgrading = true;
      answer({ code: ResultCode.success }, oid, null);
      void this.#writing.then(() => this.#startTls());
    }
  }

  /** From here on the socket speaks TLS; what arrived before in the clear is forgotten, as RFC 4511 section 4.14 wants. */
  #startTls(): void {
    const plain = this.socket;
    plain.removeAllListeners('data');
    this.#frames.clear();
    this.#upgrading = false;
    const secureContext = tls.createSecureContext(this.state.tls ?? {});
    this.socket = new tls.TLSSocket(plain, { isServer: true, secureContext });
    this.#listen();
  }

  async #search(message: Message, request: Of<'search'>, operation: Operation): Promise<void> {
    const abort = new AbortController();
    this.#searches.set(message.id, abort);
    const { state } = this;
    const identity = this.#identity;
    try {
      const answers = answerSearch({
        id: message.id,
        request,
        controls: parseSearchControls(message.controls),
        view: state.viewFor(identity),
        current: () => state.storeFor(identity),
        usn: state.usn,
        quirks: state.quirks,
        cookies: this.#cookies,
        mutate: (entries) => state.load(entries),
        entrySent: () => {
          if (operation.kind === 'search') operation.entries += 1;
        },
      });
      const end = await this.#stream(answers, abort.signal);
      if (!end) return;
      if ('result' in end) operation.result = end.result.code;
      else if (end.disconnect === 'with notice') this.#endWithNotice(refusals.shuttingDown());
      else this.socket.end();
    } catch (error) {
      if (!isMalformed(error)) throw error;
      operation.result = ResultCode.protocolError;
      this.#send(encodeMessage(message.id, Answer.done, resultParts(refusals.malformed())));
    } finally {
      this.#searches.delete(message.id);
    }
  }

  /** Sends in chunks, no faster than the client reads; undefined where the search was abandoned. */
  async #stream(answers: AsyncGenerator<Buffer, SearchEnd>, signal: AbortSignal): Promise<SearchEnd | undefined> {
    let chunk: Buffer[] = [];
    let size = 0;
    const flush = async () => {
      this.#send(Buffer.concat(chunk));
      chunk = [];
      size = 0;
      await this.#writing;
      await turn();
    };
    for (;;) {
      const { done, value } = await answers.next();
      if (signal.aborted) return undefined;
      if (done === true) {
        await flush();
        return value;
      }
      chunk.push(value);
      size += value.length;
      if (size >= CHUNK) await flush();
    }
  }

  #endWithNotice(result: Result): void {
    this.#send(extendedAnswer(0, result, ExtensionOid.noticeOfDisconnection, null));
    this.socket.end();
    this.socket.removeAllListeners('data');
    this.socket.resume();
  }

  #send(bytes: Buffer): void {
    if (bytes.length === 0 || this.socket.writableEnded || this.socket.destroyed) return;
    const { socket } = this;
    this.#writing = new Promise((resolve) => {
      const settle = () => {
        socket.off('close', settle);
        resolve();
      };
      socket.once('close', settle);
      socket.write(bytes, settle);
    });
  }
}

function isMalformed(error: unknown): boolean {
  return error instanceof BerError || error instanceof RangeError;
}
