/** Rows into a table by COPY: the quickest way in, spoken by hand over `pg`'s connection. */
import type { Client, Connection, Submittable } from 'pg';
import type { SqlValue } from './connection.js';

/** What `pg` hands to a query that copies; its types do not tell of it. */
interface CopyTarget {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

const CHUNK_CHARACTERS = 1 << 16;

/** Copies the rows, each as long as the table has columns. */
export function copyIn(
  client: Pick<Client, 'query'>,
  table: string,
  rows: Iterable<readonly SqlValue[]>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(table, rows, (error) => (error ? reject(error) : resolve())));
  });
}

/** One COPY, as `pg` drives a query: submitted, then told what the server answers. */
class CopyIn implements Submittable {
  constructor(
    private readonly table: string,
    private readonly rows: Iterable<readonly SqlValue[]>,
    /** `pg` may put its own in the place of it, with a time limit. */
    public callback: (error: Error | null) => void,
  ) {}

  submit(connection: Connection): void {
    (connection as Connection & { query(text: string): void }).query(`COPY ${this.table} FROM STDIN`);
  }

  handleCopyInResponse(connection: CopyTarget): void {
    try {
      let text = '';
      for (const row of this.rows) {
        text += `${row.map(field).join('\t')}\n`;
        if (text.length < CHUNK_CHARACTERS) continue;
        connection.sendCopyFromChunk(Buffer.from(text));
        text = '';
      }
      if (text !== '') connection.sendCopyFromChunk(Buffer.from(text));
      connection.endCopyFrom();
    } catch (error) {
      connection.sendCopyFail(error instanceof Error ? error.message : 'no more rows');
    }
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }

  handleCommandComplete(): void {
    // The server is ready soon, and that ends it.
  }
}

/** As text in COPY's format (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"). */
function field(value: SqlValue): string {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  let escaped = value;
  for (const [one, as] of ESCAPES) if (escaped.includes(one)) escaped = escaped.replaceAll(one, as);
  return escaped;
}

/** The backslash first: the others bring one. */
const ESCAPES = [
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
] as const;
