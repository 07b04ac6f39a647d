/** Errors of the taxonomy as plain data, so that they survive the way from one thread to another. */
import {
  AccountError,
  ContractError,
  DirectoryError,
  DirectorySyncError,
  SettingError,
  StoppedError,
  TransportError,
  asDirectorySyncError,
} from '../model/errors.js';

/** A `DirectorySyncError` without its prototype. The cause is kept as text: it is never shown, only logged. */
export interface PackedError {
  readonly class: string;
  readonly code: string;
  readonly message: string;
  readonly status: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly transient: boolean;
  readonly cause: string | null;
}

const classes = new Map(
  [DirectorySyncError, SettingError, DirectoryError, ContractError, TransportError, AccountError].map((type) => [
    type.name,
    type,
  ]),
);

/** Packs whatever was thrown; what is not of the taxonomy becomes `UNEXPECTED`. */
export function packError(thrown: unknown): PackedError {
  const error = asDirectorySyncError(thrown);
  const { name, code, message, status, params, transient, cause } = error;
  return { class: name, code, message, status, params, transient, cause: causeText(cause) };
}

/** The error that {@link packError} packed: same class, code, message, status and params. */
export function unpackError(packed: PackedError): DirectorySyncError {
  if (packed.class === StoppedError.name) return new StoppedError(packed.cause ?? undefined);
  const type = classes.get(packed.class) ?? DirectorySyncError;
  return new type(packed.code, { ...packed, cause: packed.cause ?? undefined });
}

function causeText(cause: unknown): string | null {
  if (cause === undefined || cause === null) return null;
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return typeof cause === 'string' ? cause : JSON.stringify(cause);
}
