"""The shop assistant: agent, memory and knowledge."""
