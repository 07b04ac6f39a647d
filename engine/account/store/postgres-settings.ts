/** Where an account in PostgreSQL is, and how it is spoken to. */
import type { ConnectionOptions } from 'node:tls';

/** Names as the server has them; times in milliseconds. */
export interface PostgresSettings {
  readonly kind: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Of this account alone; made where it is missing. */
  readonly schema: string;
  /** Options of TLS (`{}`: verified, with the usual authorities); null: without encryption. */
  readonly tls: ConnectionOptions | null;
  /** Shown by the server for each session. */
  readonly applicationName: string;
  /** Under which name {@link AccountSettings.exclusive} is meant: others may write too, older openers of that name not. */
  readonly writer: string;
  readonly timeouts: {
    readonly connect: number;
    /** For one statement, and for the wait for another instance that commits. */
    readonly statement: number;
    /** After so long without a statement the server ends a transaction: its process is dead, or was stopped. */
    readonly idle: number;
  };
}
