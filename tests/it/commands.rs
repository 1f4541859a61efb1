//! Exit codes and manners of every command.
