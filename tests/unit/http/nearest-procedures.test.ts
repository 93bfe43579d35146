import { describe, expect, it } from "vitest";
import { procedureNotFound } from "../../../server/http/nearest-procedures.ts";

const PROCEDURES = ["session.create", "session.get", "session.observe", "session.stm", "node.list"];

describe("an unknown procedure", () => {
  it.each([
    ["session.observ", "session.observe"],
    ["SESSION.STM", "session.stm"],
    ["sesion.get", "session.get"],
    ["nodes.list", "node.list"],
  ])("is told with the three nearest, the nearest first: %s", (path, nearest) => {
    const error = procedureNotFound(path, PROCEDURES);

    expect(error.code).toBe("PROCEDURE_NOT_FOUND");
    expect(error.details.nearest).toHaveLength(3);
    expect(error.details.nearest?.[0]).toBe(nearest);
    expect(error.message).toBe(
      `there is no procedure "${path}"; the nearest are ${error.details.nearest?.join(", ")}`,
    );
  });

  it("is shown by its first hundred characters, made printable", () => {
    const error = procedureNotFound(`new\nline"${"x".repeat(10_000)}`, PROCEDURES);

    expect(error.message.length).toBeLessThan(250);
    expect(error.message).toContain('"new\\nline\\"xxx');
  });

  it("is told where there are fewer to choose from", () => {
    expect(procedureNotFound("", ["a"]).details.nearest).toEqual(["a"]);
  });
});
