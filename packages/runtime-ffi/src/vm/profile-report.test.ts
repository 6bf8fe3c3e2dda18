import { describe, expect, it } from "vitest";
import { reportAsCsv, reportAsJson, reportAsTable, type VmMetrics, type VmReport } from "./profile-report.ts";

const call = (name: string, us: number, shapes: string): VmMetrics => ({
  Name: { string: name },
  "Duration (us)": { microseconds: us },
  Count: { count: 1 },
  Device: { string: "cpu0" },
  Percent: { percent: us / 40 },
  "Argument Shapes": { string: shapes },
});

const report: VmReport = {
  calls: [call("add", 1, "float32[2]"), call("matmul", 1500.5, "float32[2, 3]"), call("add", 2, "float32[2]"), call("add", 4, "float32[8]")],
  deviceMetrics: { cpu0: { Name: { string: "Total" }, "Duration (us)": { microseconds: 4000 }, Count: { count: 1 }, Device: { string: "cpu0" } } },
  configuration: { Executor: { string: "VM" } },
};

const lines = (text: string): readonly string[] => text.split("\n").map((l) => l.trimEnd());

describe("a report", () => {
  it("as a table adds calls of one function on one shape, the dearest first, and sums columns", () => {
    expect(lines(reportAsTable(report))).toEqual([
      "Name        Duration (us)  Percent  Device  Count  Argument Shapes",
      "matmul           1,500.50    37.51    cpu0      1    float32[2, 3]",
      "add                  4.00     0.10    cpu0      1       float32[8]",
      "add                  3.00     0.08    cpu0      2       float32[2]",
      "----------",
      "Sum              1,507.50    37.69              4",
      "Total            4,000.00             cpu0      1",
      "",
      "Configuration",
      "-------------",
      "Executor: VM",
      "",
    ]);
  });

  it("as a table has each call in order, if told so", () => {
    const table = lines(reportAsTable(report, { sort: false, aggregate: false, colSums: false }));
    expect(table.slice(1, 6).map((l) => l.split(/\s+/)[0])).toEqual(["add", "matmul", "add", "add", "Total"]);
  });

  it("in JSON is as upstream reads it", () => {
    expect(JSON.parse(reportAsJson({ ...report, calls: report.calls.slice(0, 1) }))).toEqual({
      calls: [{ "Argument Shapes": { string: "float32[2]" }, Count: { count: 1 }, Device: { string: "cpu0" }, "Duration (us)": { microseconds: 1 }, Name: { string: "add" }, Percent: { percent: 0.025 } }],
      device_metrics: { cpu0: report.deviceMetrics["cpu0"] },
      configuration: { Executor: { string: "VM" } },
    });
  });

  it("as comma-separated values has its columns by name, texts in quotes", () => {
    expect(lines(reportAsCsv(report)).slice(0, 2)).toEqual(["Argument Shapes,Count,Device,Duration (us),Name,Percent", '"float32[2]",1,"cpu0",1,"add",0.025']);
  });

  it("averages ratios, and leaves texts out that differ", () => {
    const calls = [{ ...call("a", 1, ""), IPC: { ratio: 1 }, Note: { string: "x" } }, { ...call("a", 1, ""), IPC: { ratio: 2 }, Note: { string: "y" } }];
    const row = lines(reportAsTable({ calls, deviceMetrics: {}, configuration: {} }, { colSums: false }))[1];
    expect(row?.split(/\s+/)).toEqual(["a", "2.00", "0.05", "cpu0", "2", "1.5"]);
  });
});
