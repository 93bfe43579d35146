import { describe, expect, it } from "vitest";
import { findFieldNames } from "../../../server/cli/replay/field-names.ts";

describe("the fields of a log", () => {
  it.each([
    [["case", "activity", "timestamp"]],
    [["CaseID", "ActivityID", "CompleteTimestamp"]],
    [["case_id", "activity_id", "time"]],
    [["Case ID", "Event", "Complete Timestamp"]],
    [["case:concept:name", "concept:name", "time:timestamp"]],
  ])("are known as %j", (fields) => {
    const [caseField, activity, timestamp] = fields;

    expect(findFieldNames(["other", ...fields.toReversed()], {})).toEqual({
      case: caseField,
      activity,
      timestamp,
    });
  });

  it("may have any name that is given, exactly or but for its case", () => {
    const fields = ["who", "What", "WHAT", "when", "case", "activity", "time"];

    expect(findFieldNames(fields, { case: "WHO", activity: "WHAT", timestamp: "when" })).toEqual({
      case: "who",
      activity: "WHAT",
      timestamp: "when",
    });
  });

  it("are missed by name, with those there are and what to do", () => {
    expect(() => findFieldNames(["id", "time"], { activity: "step" })).toThrow(
      'the log has no case, no activity: its fields are "id", "time"; name them with --case NAME, --activity, not "step"',
    );
  });
});
