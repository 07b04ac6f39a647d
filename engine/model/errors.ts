/**
 * The one taxonomy of errors.
 *
 * Every failure that reaches an operator is a `DirectorySyncError`: a stable `code` that a catch node can switch on, a
 * message in English that is complete on its own, the key and parameters for its translation, a short text for the node's
 * status, and the cause. Messages name the setting to look at and the next step. They never carry secrets, and of the
 * directory's data nothing but an object's id.
 */

/** What an error says beside its code. */
export interface ErrorDetails {
  /** A full sentence: what went wrong, which setting it concerns, what to do next. */
  readonly message: string;
  /** At most some twenty characters, shown under the node. */
  readonly status: string;
  /** Values for the placeholders of the translated message (`errors.<code>` in the catalog). No secrets, no personal data. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** What led to it. Never shown to an operator as it is. */
  readonly cause?: unknown;
  /** True where trying the same thing again later may succeed (network, time limits, a busy server). */
  readonly transient?: boolean;
}

/** Base of all errors of this package. `code` is stable across versions: part of the public contract. */
export class DirectorySyncError extends Error {
  readonly code: string;
  readonly status: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly transient: boolean;

  constructor(code: string, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = details.status;
    this.params = details.params ?? {};
    this.transient = details.transient ?? false;
  }
}

/** A setting is missing or wrong. `params.setting` names it. */
export class SettingError extends DirectorySyncError {}

/** The directory could not be reached, refused us, or answered something that is not LDAP. */
export class DirectoryError extends DirectorySyncError {}

/** A message that passed between nodes, or arrived over HTTPS, is not what `docs/messages.md` or `docs/protocol.md` says. */
export class ContractError extends DirectorySyncError {}

/** The transfer between sender and receiver failed or was refused. */
export class TransportError extends DirectorySyncError {}

/** The account's store could not be opened, read or written, or refused a change. */
export class AccountError extends DirectorySyncError {}

/** The work was stopped on purpose: node closed, redeployed, or the run given up. */
export class StoppedError extends DirectorySyncError {
  constructor(cause?: unknown) {
    super('STOPPED', {
      message: 'The run was stopped before it ended, because the node was closed or redeployed. Nothing was removed.',
      status: 'stopped',
      cause,
    });
  }
}

/** Turns whatever was thrown into a `DirectorySyncError`, keeping those that are one already. */
export function asDirectorySyncError(thrown: unknown): DirectorySyncError {
  if (thrown instanceof DirectorySyncError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new DirectorySyncError('UNEXPECTED', {
    message: `Something failed that should not: ${text}. Please report it with the steps that led to it.`,
    status: 'unexpected error',
    cause: thrown,
  });
}
