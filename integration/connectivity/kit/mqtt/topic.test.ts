import { describe, expect, it } from "vitest";
import { filterCovers, TopicTree, topicFilterFault, topicMatches, topicNameFault } from "./topic.ts";

/** Filter, topic, does it match? From MQTT 3.1.1 and 5, 4.7. */
const cases: [string, string, boolean][] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/#", "sport", true],
  ["#", "sport/a", true],
  ["#", "$SYS/a", false],
  ["+/a", "$SYS/a", false],
  ["$SYS/#", "$SYS/a", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["a/b", "a/b", true],
  ["a/b", "A/b", false],
  ["a/+/c", "a/b/c", true],
  ["a/+/c", "a/b/d", false],
];

describe("topics", () => {
  for (const [filter, topic, expected] of cases) {
    it(`${filter} ${expected ? "matches" : "does not match"} ${topic}`, () => {
      expect(topicMatches(filter, topic)).toBe(expected);
      const tree = new TopicTree<string>();
      tree.add(filter, "x");
      tree.add("something/else", "y");
      expect(tree.match(topic)).toEqual(expected ? ["x"] : []);
      tree.remove(filter, () => true);
      expect(tree.match(topic)).toEqual([]);
      expect(tree.size).toBe(1);
    });
  }

  it("a granted filter covers what it matches and nothing wider", () => {
    for (const [granted, wanted] of [
      ["#", "a/+"],
      ["a/#", "a"],
      ["a/#", "a/b/#"],
      ["a/+/c", "a/b/c"],
      ["a/+", "a/+"],
    ]) {
      expect(filterCovers(granted, wanted), `${granted} covers ${wanted}`).toBe(true);
    }
    for (const [granted, wanted] of [
      ["a/#", "#"],
      ["a/+", "a/#"],
      ["a/b", "a/+"],
      ["+/b", "+/#"],
      ["#", "$SYS/#"],
      ["a/+", "a"],
    ]) {
      expect(filterCovers(granted, wanted), `${granted} covers ${wanted}`).toBe(false);
    }
  });

  it("names and filters are checked", () => {
    for (const bad of ["", "a/+", "a/#", "a\0", "x".repeat(2000), "a/".repeat(12)])
      expect(topicNameFault(bad)).not.toBeNull();
    for (const bad of ["", "a#", "a/#/b", "a+/b", "a\0", "+/".repeat(12)]) expect(topicFilterFault(bad)).not.toBeNull();
    for (const good of ["#", "+", "a/+/#", "/", "+/+"]) expect(topicFilterFault(good)).toBeNull();
    expect(topicNameFault("a/b c/ü")).toBeNull();
  });
});
