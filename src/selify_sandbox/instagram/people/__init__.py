"""What people do to each other here: conversations, comments, and a shopper's every act."""
