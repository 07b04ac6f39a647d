/** The report of a run as a person reads it in a terminal. */
import type { Report } from '../engine/model/report.js';
import type { RecordCounts } from '../engine/model/records.js';
import type { Stage } from '../engine/model/run.js';

const OUTCOMES: Record<Report['outcome'], string> = {
  committed: 'The account was brought up to date.',
  unchanged: 'The account is as it should be: no change.',
  'dry-run': 'A plan was made; nothing was changed (dry run).',
  held: 'The plan is held and waits for approval; nothing was changed.',
  rejected: 'The plan was rejected; nothing was changed.',
  received: 'The run was received, but no apply node took it; nothing was changed.',
};

const CHANGES: readonly (readonly [keyof Report['changes'], string])[] = [
  ['usersAdded', 'users added'],
  ['usersLinked', 'users linked (known before, now from the directory)'],
  ['usersUpdated', 'users updated'],
  ['usersReaddressed', 'users with a new address'],
  ['usersDisabled', 'users disabled'],
  ['usersEnabled', 'users enabled'],
  ['contactsAdded', 'contacts added'],
  ['contactsUpdated', 'contacts updated'],
  ['groupsAdded', 'groups added'],
  ['groupsUpdated', 'groups updated'],
  ['membersAdded', 'members added'],
  ['membersRemoved', 'members removed'],
  ['aliasesLinked', 'aliases linked'],
  ['aliasesUnlinked', 'aliases unlinked'],
  ['attributesUpdated', 'attributes updated'],
  ['usersLeaving', 'users who left: marked, still in the account'],
  ['usersReturned', 'users who are there again'],
  ['usersDowngraded', 'users who left: now known from mail flow only'],
  ['usersRemoved', 'users who left: removed'],
  ['usersReplaced', 'users replaced by others with their address'],
  ['contactsLeaving', 'contacts that left: marked, still in the account'],
  ['contactsReturned', 'contacts that are there again'],
  ['contactsRemoved', 'contacts removed'],
  ['contactsReplaced', 'contacts replaced by others with their address'],
  ['groupsLeaving', 'groups that left: marked, still in the account'],
  ['groupsReturned', 'groups that are there again'],
  ['groupsRemoved', 'groups removed'],
  ['addressesRemoved', 'addresses that nobody has any more'],
];

const WIDTH = 110;
const INDENT = ' '.repeat(34);

/** The report as lines of text, at most 100 characters wide where the data allows. */
export function printedReport(report: Report): string {
  return [
    '',
    heading(`Report of run ${report.run}, source ${report.source}`),
    report.outcome === 'unchanged' && !report.complete ? 'Nothing was changed.' : OUTCOMES[report.outcome],
    ...report.incomplete.map(({ message }) => `INCOMPLETE, so nothing was removed: ${message}`),
    ...(report.holds ?? []).map(({ message }) => `HELD: ${message}`),
    ...(report.paused ?? []).map(({ message }) => `PAUSED: ${message}`),
    ...(report.warnings ?? [])
      .filter(({ message }) => !(report.holds ?? []).some((hold) => hold.message === message))
      .map(({ message }) => `WARNING: ${message}`),
    '',
    ...stages(report.stages),
    '',
    ...changes(report),
    '',
    row('now in the account', totals(report.totals)),
    ...absences(report),
    '',
    ...setAside(report),
  ].join('\n');
}

function heading(text: string): string {
  return `${text}\n${'─'.repeat(text.length)}`;
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(20)} ${text}`;
}

function stages(list: readonly Stage[]): string[] {
  return list.flatMap(({ stage, milliseconds, records, figures }) => [
    row(stage, `${duration(milliseconds).padStart(8)}   ${recordCounts(records)}`),
    ...wrapped(told(figures), ' · ', WIDTH - INDENT.length).map((line) => `${INDENT}${line}`),
  ]);
}

/** Joins the parts with `separator` into lines of at most `width` characters. */
function wrapped(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + part.length <= width) {
      lines[lines.length - 1] = last + separator + part;
    } else lines.push(part);
  }
  return lines;
}

function recordCounts(records: RecordCounts): string {
  const counts = [
    plural(records.user, 'user'),
    plural(records.contact, 'contact'),
    plural(records.group, 'group'),
    plural(records['dynamic-group'], 'dynamic group'),
    records.members > 0 ? plural(records.members, 'member list') : '',
    records.quarantined > 0 ? `${String(records.quarantined)} quarantined` : '',
  ];
  return counts.filter((text) => text !== '').join(', ') || 'nothing';
}

function told(figures: Stage['figures']): string[] {
  return Object.entries(figures).map(([name, value]) => `${inWords(name)} ${String(value)}`);
}

function changes(report: Report): string[] {
  const lines = CHANGES.map(([key, label]) => [report.changes[key] ?? 0, label] as const)
    .filter(([count]) => count > 0)
    .map(([count, label]) => row('', `${String(count).padStart(8)}   ${label}`));
  const [first, ...rest] = lines;
  const title = report.outcome === 'dry-run' || report.outcome === 'held' ? 'planned' : 'changes';
  if (first === undefined) return [row(title, '    none')];
  return [`  ${title.padEnd(20)}${first.slice(22)}`, ...rest];
}

function totals(counts: Report['totals']): string {
  return `${plural(counts.users, 'user')}, ${plural(counts.contacts, 'contact')}, ${plural(counts.groups, 'group')}, ${plural(counts.members, 'membership')}, ${plural(counts.aliases, 'alias', 'aliases')}`;
}

function absences({ absent, groupsWithoutMail, groupsHeld }: Report): string[] {
  const lines: string[] = [];
  const gone = absent.users + absent.contacts + absent.groups;
  if (gone > 0) lines.push(row('not in this run', `${String(gone)} known objects (still in the account)`));
  if (groupsWithoutMail > 0)
    lines.push(row('groups not added', `${String(groupsWithoutMail)} without a member that bears mail`));
  if (groupsHeld > 0) lines.push(row('groups held', `${String(groupsHeld)}: their members could not be read whole`));
  return lines;
}

/** `receivedBytes` as `received bytes`. */
function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Of what was set aside, so many are shown; the report as JSON has more. */
const SHOWN = 12;

function setAside({ setAside: list, setAsideCount }: Report): string[] {
  if (setAsideCount === 0) return [row('set aside', 'nothing')];
  const lines = list.slice(0, SHOWN).map(({ id, reason, detail }) => `    ${reason.padEnd(22)} ${id ?? ''}  ${detail}`);
  const more = setAsideCount - Math.min(SHOWN, list.length);
  return [row('set aside', String(setAsideCount)), ...lines, ...(more > 0 ? [`    and ${String(more)} more`] : [])];
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
