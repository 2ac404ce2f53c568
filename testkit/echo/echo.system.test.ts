import { connectorContract } from "@lineshaft/testkit";
import { echo } from "./index.ts";
import { echoFixture } from "./peer.fixture.ts";

connectorContract(echo, echoFixture);
