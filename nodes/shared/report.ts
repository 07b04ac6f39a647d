/** The report of a run as a message, and under a node. */
import type { NodeMessage } from 'node-red';
import type { ChangeCounts, Report } from '../../engine/model/report.js';
import type { StatusLine } from './status.js';

/** The message that brought the seal, now with the report. It ends the sequence, so it has no `parts`. */
export function reportMessage(message: NodeMessage, report: Report): NodeMessage {
  delete message['parts'];
  return Object.assign(message, { topic: 'report', payload: report });
}

/** Green for a run as it should be; yellow for one that is held, was not read whole, or has something strange about it. */
export function showReport(status: StatusLine, report: Report): void {
  const values = { count: changed(report.changes) };
  if (report.outcome === 'held') status.notice('held', values);
  else if (report.outcome === 'rejected') status.notice('rejected');
  else if ((report.paused ?? []).length > 0) status.notice('paused', values);
  else if (!report.complete) status.notice('incomplete', values);
  else if ((report.warnings ?? []).length > 0) status.notice('warned', values);
  else status.good(report.outcome, values);
}

function changed(changes: ChangeCounts): number {
  // Addresses are counted with the changes that they are part of.
  const own = Object.entries(changes).filter(([name]) => name !== 'addressesRemoved');
  return own.reduce((sum, [, count]) => sum + count, 0);
}
