import { may, type Permission, type Principal, ProblemError } from "@lineshaft/contract/api";

/** Throws `forbidden` when the role lacks the permission. */
export function demand(p: Principal, permission: Permission): void {
  if (!may(p, permission)) throw new ProblemError("forbidden", `The role ${p.role} does not include "${permission}".`);
}

/** One text for what does not exist, what is out of scope and what belongs to another tenant (A67). */
export function notFound(kind: string, id: number | string): ProblemError {
  return new ProblemError("not_found", `There is no ${kind} ${JSON.stringify(id)} that you may see.`);
}

export function conflict(kind: string, id: number, current: number, given: number): ProblemError {
  return new ProblemError(
    "revision_conflict",
    `The ${kind} ${id} is at revision ${current}; the change was based on ${given}.`,
  );
}
