/**
 * A client for tests that shows answers as they come: every page by itself, with its cookie, its result and its references.
 * Requests are encoded by ldapts, so that both ends do not share a misunderstanding.
 */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import * as tls from 'node:tls';
import {
  BindRequest,
  Control,
  ExtendedRequest,
  type Filter,
  FilterParser,
  type Message,
  PagedResultsControl,
  SearchRequest,
} from 'ldapts';
import { BerReader, Tag } from '../../support/directory/ber.js';
import { Frames } from '../../support/directory/frames.js';

export interface Page {
  readonly code: number;
  readonly diagnostic: string;
  readonly matchedDn: string;
  readonly referrals: string[];
  readonly entries: { dn: string; attributes: Record<string, Buffer[]> }[];
  readonly references: string[];
  /** Null where the answer has no paging control. */
  readonly cookie: Buffer | null;
}

export interface Question {
  readonly base?: string;
  readonly scope?: 'base' | 'one' | 'sub';
  readonly filter?: string | Filter;
  readonly attributes?: string[];
  readonly page?: { size: number; cookie?: Buffer };
  readonly sizeLimit?: number;
  readonly timeLimit?: number;
  readonly typesOnly?: boolean;
  readonly controls?: Control[];
}

/** What the server said unasked, as its name. */
export class Notice extends Error {}

export class Asker {
  #id = 0;
  readonly #frames = new Frames();

  private constructor(private socket: Socket) {}

  /** Connects, and binds where a name is given. */
  static async to(
    directory: { host: string; port: number },
    bind?: { user: string; password: string },
    options: { ca?: string } = {},
  ): Promise<Asker> {
    const { host, port } = directory;
    const socket = options.ca === undefined ? connect(port, host) : tls.connect({ port, host, ca: options.ca });
    await once(socket, options.ca === undefined ? 'connect' : 'secureConnect');
    const asker = new Asker(socket);
    if (bind) {
      const { code, diagnostic } = await asker.bind(bind.user, bind.password);
      if (code !== 0) throw new Error(`bind: ${code} ${diagnostic}`);
    }
    return asker;
  }

  async bind(user: string, password: string): Promise<{ code: number; diagnostic: string }> {
    this.send(new BindRequest({ messageId: this.#nextId(), dn: user, password }));
    const { code, diagnostic } = readResult(await this.#message(0x61));
    return { code, diagnostic };
  }

  async extended(oid: string): Promise<{ code: number; value: string }> {
    this.send(new ExtendedRequest({ messageId: this.#nextId(), oid }));
    const reader = await this.#message(0x78);
    const { code } = readResult(reader);
    reader.optional(0x8a);
    return { code, value: reader.optional(0x8b)?.toString() ?? '' };
  }

  async startTls(ca: string): Promise<number> {
    const { code } = await this.extended('1.3.6.1.4.1.1466.20037');
    if (code === 0) {
      this.socket.removeAllListeners('data');
      this.socket = tls.connect({ socket: this.socket, ca, servername: 'localhost' });
      await once(this.socket, 'secureConnect');
    }
    return code;
  }

  /** Asks one search; rejects where the connection ends before the result. */
  async search(question: Question): Promise<Page> {
    this.ask(question);
    return this.#page();
  }

  /** Sends a search and does not wait for its answer. Gives its message id. */
  ask(question: Question): number {
    const { page, filter = '(objectClass=*)' } = question;
    const controls = [
      ...(question.controls ?? []),
      ...(page ? [new PagedResultsControl({ critical: true, value: page })] : []),
    ];
    this.send(
      new SearchRequest({
        messageId: this.#nextId(),
        baseDN: question.base ?? 'DC=example,DC=test',
        scope: question.scope ?? 'sub',
        filter: typeof filter === 'string' ? FilterParser.parseString(filter) : filter,
        attributes: question.attributes ?? [],
        sizeLimit: question.sizeLimit ?? 0,
        timeLimit: question.timeLimit ?? 0,
        returnAttributeValues: question.typesOnly !== true,
        controls,
      }),
    );
    return this.#id;
  }

  /** All pages of a search, to an empty cookie. */
  async pages(question: Question & { page: { size: number } }): Promise<Page[]> {
    const pages = [await this.search(question)];
    for (let cookie = pages.at(-1)?.cookie; cookie && cookie.length > 0; cookie = pages.at(-1)?.cookie) {
      pages.push(await this.search({ ...question, page: { ...question.page, cookie } }));
    }
    return pages;
  }

  send(request: Message): void {
    this.socket.write(request.write());
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Nothing more comes within so many milliseconds, and the connection stays. */
  async isSilent(milliseconds: number): Promise<boolean> {
    const heard = this.#next().then(
      () => false,
      () => false,
    );
    const quiet = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), milliseconds));
    return Promise.race([heard, quiet]);
  }

  close(): void {
    this.socket.destroy();
  }

  #nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  async #page(): Promise<Page> {
    const entries: Page['entries'] = [];
    const references: string[] = [];
    for (;;) {
      const content = await this.#next();
      const reader = new BerReader(content);
      const id = reader.integer();
      const { tag, content: body } = reader.element();
      if (id === 0) throw noticeOf(body);
      const part = new BerReader(body);
      if (tag === 0x64) entries.push(readEntry(part));
      else if (tag === 0x73) while (part.more) references.push(part.text());
      else return { ...readResult(part), entries, references, cookie: readCookie(reader) };
    }
  }

  async #message(tag: number): Promise<BerReader> {
    const reader = new BerReader(await this.#next());
    const id = reader.integer();
    const element = reader.element();
    if (id === 0) throw noticeOf(element.content);
    if (element.tag !== tag) throw new Error(`an answer of tag ${element.tag}`);
    return new BerReader(element.content);
  }

  /** Content of the next message. */
  #next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const { socket } = this;
      const settle = () => {
        socket.off('data', take).off('close', fail).off('error', fail);
      };
      const look = () => {
        const content = this.#frames.next();
        if (!content) return;
        settle();
        resolve(content);
      };
      const take = (data: Buffer) => {
        this.#frames.add(data);
        look();
      };
      const fail = () => {
        settle();
        reject(new Error('the connection ended'));
      };
      if (socket.destroyed) {
        fail();
        return;
      }
      socket.on('data', take).on('close', fail).on('error', fail);
      look();
    });
  }
}

/** The extended-DN control as ldapts can send it. */
export class ExtendedDn extends Control {
  constructor(private readonly flag: 0 | 1 | null) {
    super('1.2.840.113556.1.4.529', { critical: true });
  }

  override writeControl(writer: { writeBuffer: (bytes: Buffer, tag: number) => void }): void {
    if (this.flag !== null) writer.writeBuffer(Buffer.from([0x30, 3, 2, 1, this.flag]), Tag.octets);
  }
}

/** Texts of an attribute of an entry. */
export function texts(entry: Page['entries'][number] | undefined, name: string): string[] {
  return (entry?.attributes[name] ?? []).map(String);
}

function readEntry(reader: BerReader): Page['entries'][number] {
  const dn = reader.text();
  const attributes: Record<string, Buffer[]> = {};
  const list = reader.sequence();
  while (list.more) {
    const attribute = list.sequence();
    const name = attribute.text();
    const set = attribute.sequence(Tag.set);
    const values: Buffer[] = [];
    while (set.more) values.push(set.expect(Tag.octets));
    attributes[name] = values;
  }
  return { dn, attributes };
}

function readResult(reader: BerReader): Pick<Page, 'code' | 'diagnostic' | 'matchedDn' | 'referrals'> {
  const code = reader.integer(Tag.enumerated);
  const matchedDn = reader.text();
  const diagnostic = reader.text();
  const referrals: string[] = [];
  const urls = reader.optional(0xa3);
  if (urls) for (const list = new BerReader(urls); list.more;) referrals.push(list.text());
  return { code, matchedDn, diagnostic, referrals };
}

function readCookie(reader: BerReader): Buffer | null {
  const controls = reader.optional(0xa0);
  if (!controls) return null;
  const control = new BerReader(controls).sequence();
  if (control.text() !== PagedResultsControl.type) return null;
  control.optional(Tag.boolean);
  const value = new BerReader(control.expect(Tag.octets)).sequence();
  value.integer();
  return value.expect(Tag.octets);
}

function noticeOf(body: Buffer): Notice {
  const reader = new BerReader(body);
  const { code } = readResult(reader);
  return new Notice(`${code} ${reader.optional(0x8a)?.toString() ?? ''}`);
}
